"""Patches read: what they make of the files is what git makes of them, or a line of words says why not."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.decisions import AcceptAll, decide
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.patch import patch_bytes
from editflow.proposal import Proposal
from editflow.writeback import write
from editflow_tui.patches import read_patch
from editflow_tui.unified import PatchError

LINES = st.lists(st.sampled_from(["a", "b", "é", "-- x", "++ y", "", "\f", "c\r"]), max_size=12)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"]))
HEAD = "--- a/f.txt\n+++ b/f.txt\n"
NUMBERS = "".join(f"{number}\n" for number in range(1, 21))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("patched")


def put(folder: Path, data: str | bytes, name: str = "f.txt") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def accepted(proposal: Proposal) -> bytes:
    return proposal.document.encode(decide(proposal, AcceptAll()).decided_text())


def only(patch: str | bytes, folder: Path) -> Proposal:
    """The one proposal of a patch that has nothing to say."""
    said: list[str] = []
    (proposal,) = read_patch(patch if isinstance(patch, bytes) else patch.encode(), folder, said.append)
    assert said == []
    return proposal


@given(TEXTS, TEXTS)
def test_what_was_written_is_read(folder: Path, old: str, new: str) -> None:
    path = put(folder, old)
    proposals = read_patch(patch_bytes(Document.read(path), new, "f.txt"), folder)
    assert [accepted(proposal) for proposal in proposals] == ([new.encode()] if old != new else [])


@settings(max_examples=30)
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=12), st.data())
def test_git_s_own_patches_are_read(repository: Path, lines: list[str], data: st.DataObject) -> None:
    """Of all contexts, and whatever follows the last line."""
    end = st.sampled_from(["", "\n"])
    old = "\n".join(lines) + data.draw(end)
    new = "\n".join(data.draw(st.lists(st.sampled_from("abc"), max_size=12))) + data.draw(end)
    (repository / "old").write_text(old)
    (repository / "new").write_text(new)
    context = f"-U{data.draw(st.integers(0, 4))}"
    command = ["git", "diff", "--no-index", "--no-color", context, "old", "new"]
    patch = subprocess.run(command, cwd=repository, capture_output=True, check=False).stdout
    (repository / "f.txt").write_text(old)
    patch = patch.replace(b"a/old", b"a/f.txt").replace(b"b/new", b"b/f.txt")
    found = [accepted(proposal) for proposal in read_patch(patch, repository)]
    assert found == ([new.encode()] if old != new else [])


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    return tmp_path_factory.mktemp("repository")


def test_one_hunk_a_run_of_changed_lines(folder: Path) -> None:
    put(folder, "a\nb\nc\nd\n")
    proposal = only(HEAD + "@@ -1,4 +1,6 @@\n-a\n+A\n b\n+B\n+C\n c\n-d\n+D\n", folder)
    found = [(hunk.old, hunk.new, hunk.confidence) for hunk in proposal.hunks]
    assert found == [("a\n", "A\n", 1.0), ("", "B\nC\n", 1.0), ("d\n", "D\n", 1.0)]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("a/f.txt", "b/f.txt", "f.txt"),
        ("f.txt", "f.txt", "f.txt"),
        ("i/f.txt", "w/f.txt", "f.txt"),
        ("a/f.txt", "a/f.txt", "a/f.txt"),
        ("a/f.txt", "b/f.txt", "b/f.txt"),
        ("f.txt.orig\t2026-01-01 00:00:00", "f.txt\t2026-01-02 00:00:00", "f.txt"),
        ("a/my file.txt\t", "b/my file.txt\t", "my file.txt"),
        ("x b/y\t", "x b/y\t", "x b/y"),
        (r'"a/\303\251 \"q\".txt"', r'"b/\303\251 \"q\".txt"', 'é "q".txt'),
        (r'"a/tab\there.txt"', r'"b/tab\there.txt"', "tab\there.txt"),
    ],
)
def test_names(tmp_path: Path, old: str, new: str, name: str) -> None:
    path = put(tmp_path, "a\n", name)
    proposal = only(f"diff --git {old} {new}\n--- {old}\n+++ {new}\n@@ -1 +1 @@\n-a\n+b\n", tmp_path)
    assert proposal.document.path == path
    assert accepted(proposal) == b"b\n"


def test_several_files_with_words_around_them(tmp_path: Path) -> None:
    put(tmp_path, "a\n", "one.txt")
    put(tmp_path, "a\n", "deep/two.txt")
    patch = (
        "From 0123 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] two\n\n- a list\n---\n one.txt | 2 +-\n\n"
        "diff --git a/one.txt b/one.txt\nindex 78981922..61780798 100644\n"
        "--- a/one.txt\n+++ b/one.txt\n@@ -1 +1 @@ def f():\n-a\n+b\n"
        "diff --git a/deep/two.txt b/deep/two.txt\n"
        "--- a/deep/two.txt\n+++ b/deep/two.txt\n@@ -1 +1,2 @@\n a\n+b\n-- \n2.50.0\n\n"
    )
    proposals = read_patch(patch.encode(), tmp_path)
    assert [accepted(proposal) for proposal in proposals] == [b"b\n", b"a\nb\n"]


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("new file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n", "x: is new"),
        ("deleted file mode 100644\n--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "x: is deleted"),
        ("similarity index 100%\nrename from x\nrename to y\n", "a/x b/x: is renamed"),
        ("rename from x\nrename to y\n--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", "b/y: is renamed"),
        ("index 1..2 100644\nBinary files a/x and b/x differ\n", "a/x b/x: is binary"),
        ("index 1..2 100644\nGIT binary patch\nliteral 2\nJcmZ?f\n\n", "a/x b/x: is binary"),
        ("index 1..2 120000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "x: is a link or a submodule"),
        ("old mode 100644\nnew mode 100755\n", "a/x b/x: no line of it changes"),
    ],
)
def test_what_cannot_be_reviewed_is_said_and_left_out(tmp_path: Path, section: str, reason: str) -> None:
    put(tmp_path, "a\n")
    said: list[str] = []
    patch = f"diff --git a/x b/x\n{section}diff --git a/f.txt b/f.txt\n{HEAD}@@ -1 +1 @@\n-a\n+b\n"
    proposals = read_patch(patch.encode(), tmp_path, said.append)
    assert [accepted(proposal) for proposal in proposals] == [b"b\n"]
    assert said == [f"{reason}: left out"]


def test_diff_s_own_words_about_binary_files(tmp_path: Path) -> None:
    said: list[str] = []
    assert read_patch(b"Binary files old/x and new/x differ\n", tmp_path, said.append) == []
    assert said == ["old/x and new/x: is binary: left out"]


class TestBytes:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"a\r\nb\r\n", b"a\r\nc\r\n"),
            (b"a\r\nb\n", b"a\nb\r\n"),
            (b"\xef\xbb\xbfa\r\nb\r\n", b"\xef\xbb\xbfx\r\na\r\nb\r\n"),
            (b"# coding: latin-1\nx = '\xe9'\n", b"# coding: latin-1\nx = '\xe8'\n"),
            (b"a", b"a\n"),
            (b"a\n", b"a"),
            (b"a\nb", b"a\n"),
        ],
        ids=["crlf", "mixed", "bom", "latin-1", "an end", "no end", "the end deleted"],
    )
    def test_are_kept(self, tmp_path: Path, old: bytes, new: bytes) -> None:
        path = put(tmp_path, old, "a.py")
        document = Document.read(path)
        text = new.removeprefix(b"\xef\xbb\xbf").decode(document.encoding)
        proposal = only(patch_bytes(document, text, "a.py"), tmp_path)
        assert accepted(proposal) == new
        write(proposal.document, proposal.text)
        assert path.read_bytes() == new

    def test_a_patch_that_has_lost_its_line_ends(self, tmp_path: Path) -> None:
        patch = (HEAD + "@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n").replace("\n", "\r\n")
        put(tmp_path, "a\nb\n")
        assert accepted(only(patch, tmp_path)) == b"a\nc"
        put(tmp_path, "a\r\nb\r\n")
        assert (
            accepted(only(patch.replace("\\ No newline at end of file\r\n", ""), tmp_path)) == b"a\r\nc\r\n"
        )

    def test_a_patch_without_its_last_line_end(self, tmp_path: Path) -> None:
        put(tmp_path, "a\n")
        assert accepted(only(HEAD + "@@ -1 +1 @@\n-a\n+b", tmp_path)) == b"b\n"

    def test_an_empty_line_without_its_space(self, tmp_path: Path) -> None:
        put(tmp_path, "a\n\nb\n")
        assert accepted(only(HEAD + "@@ -1,3 +1,3 @@\n-a\n+c\n\n b\n", tmp_path)) == b"c\n\nb\n"


class TestPlace:
    def test_lines_further_down_are_found_and_said(self, tmp_path: Path) -> None:
        put(tmp_path, "new\n" * 3 + NUMBERS)
        said: list[str] = []
        patch = HEAD + "@@ -4,2 +4,2 @@\n 4\n-5\n+five\n@@ -14,2 +14,2 @@\n 14\n-15\n+fifteen\n"
        (proposal,) = read_patch(patch.encode(), tmp_path, said.append)
        expected = NUMBERS.replace("\n5\n", "\nfive\n").replace("15", "fifteen")
        assert accepted(proposal).decode() == "new\n" * 3 + expected
        assert len(said) == 1  # the second block is where the first one lets it be expected
        assert said[0].endswith("f.txt: the block at line 3 of the patch fits 3 lines further down")

    def test_the_nearest_of_several(self, tmp_path: Path) -> None:
        put(tmp_path, "x\na\nx\nx\nx\na\n")
        said: list[str] = []
        (proposal,) = read_patch((HEAD + "@@ -5 +5 @@\n-a\n+b\n").encode(), tmp_path, said.append)
        assert accepted(proposal) == b"x\na\nx\nx\nx\nb\n"
        assert len(said) == 1 and "1 lines further down" in said[0]

    @pytest.mark.parametrize(
        "block",
        [
            "@@ -4,3 +4,3 @@\n 4\n-five\n+5\n 6\n",
            "@@ -19,3 +19,3 @@\n 19\n-20\n+x\n 21\n",
            "@@ -5 +5 @@\n-5 \n+x\n",
            "@@ -30,0 +31 @@\n+x\n",
            "@@ -20 +20 @@\n-20\n\\ No newline at end of file\n+x\n",
            "@@ -5 +5 @@\n-5\n+x\n@@ -4 +4 @@\n-4\n+y\n",
        ],
        ids=["another line", "past the end", "a space", "nowhere", "an end", "order"],
    )
    def test_what_does_not_fit_is_refused(self, tmp_path: Path, block: str) -> None:
        put(tmp_path, NUMBERS)
        with pytest.raises(PatchError, match=r"f.txt: the block at line \d of the patch is not of this file"):
            read_patch((HEAD + block).encode(), tmp_path)

    @pytest.mark.parametrize(
        ("text", "block"),
        [
            (NUMBERS, "@@ -5 +5 @@\n-5\n+x\n\\ No newline at end of file\n"),
            ("a", "@@ -1,0 +2 @@\n+x\n"),
        ],
    )
    def test_lines_are_not_joined(self, tmp_path: Path, text: str, block: str) -> None:
        put(tmp_path, text)
        with pytest.raises(PatchError, match="not the last one"):
            read_patch((HEAD + block).encode(), tmp_path)

    def test_a_byte_order_mark_is_left_alone(self, tmp_path: Path) -> None:
        put(tmp_path, b"\xef\xbb\xbfa\n")
        with pytest.raises(PatchError, match="byte order mark"):
            read_patch(HEAD.encode() + b"@@ -1 +1 @@\n-\xef\xbb\xbfa\n+b\n", tmp_path)

    def test_another_encoding_is_refused(self, tmp_path: Path) -> None:
        put(tmp_path, "a\n")
        with pytest.raises(PatchError, match="not in the file's encoding, utf-8"):
            read_patch(HEAD.encode() + b"@@ -1 +1 @@\n-a\n+\xe9\n", tmp_path)


class TestMalformed:
    @pytest.mark.parametrize(
        ("patch", "words"),
        [
            ("nothing\n", "no unified diff"),
            ("@@ -1 +1 @@\n-a\n+b\n", "line 1 of the patch: .* before the names"),
            (HEAD + "@@ -1 @@\n-a\n+b\n", "line 3 of the patch: .* two ranges"),
            (HEAD + "@@ -1,2 +1 @@\n-a\n+b\n", "line 6 of the patch: fewer"),
            (HEAD + "@@ -1,2 +1 @@\n-a\n+b\n+c\n", "line 6 of the patch: fewer or other"),
            (HEAD + "@@ -1,2 +1,2 @@\n-a\n+b\n*c\n", "line 6 of the patch: fewer or other"),
            (HEAD + "@@ -1 +1 @@\n-a\n+b\n+c\n", "line 6 of the patch: more"),
            (HEAD + "@@ -1 +1 @@\n a\n", "line 3 of the patch: a block that changes nothing"),
            (HEAD + "@@ -1,2 +1 @@\n-a\n\\ No newline\n-b\n+c\n", "line 5 of the patch: a line without"),
            ('--- "a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n', "line 1 of the patch: a quoted name does not end"),
            ('--- "a/\\q"\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n', "line 1 of the patch: .* unknown escape"),
            ('--- "a/\\000"\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n', "line 1 of the patch: no file has such"),
            ("--- /dev/null\n+++ /dev/null\n@@ -1 +1 @@\n-a\n+b\n", "line 1 of the patch: neither side"),
            ("diff --cc f.txt\n@@@ -1,1 -1,1 +1,1 @@@\n", "line 1 of the patch: .* merge"),
            (HEAD + "@@ -1 +1 @@\n-a\n+b\n" + HEAD + "@@ -1 +1 @@\n-b\n+c\n", "line 6 .* a second time"),
        ],
    )
    def test_it_is_refused_with_the_line(self, tmp_path: Path, patch: str, words: str) -> None:
        put(tmp_path, "a\n")
        with pytest.raises(EditFlowError, match=words) as error:
            read_patch(patch.encode(), tmp_path)
        assert "\n" not in str(error.value)

    @given(st.binary(max_size=60), st.data())
    def test_any_bytes_are_read_or_refused(self, folder: Path, data: bytes, more: st.DataObject) -> None:
        put(folder, "a\nb\n")
        start = more.draw(st.sampled_from([b"", HEAD.encode(), HEAD.encode() + b"@@ -1 +1 @@\n"]))
        try:
            proposals = read_patch(start + data, folder)
        except EditFlowError as error:
            assert str(error)
        else:
            assert all(proposal.hunks for proposal in proposals)

    def test_no_patch_at_all_is_nothing_to_do(self, tmp_path: Path) -> None:
        assert read_patch(b"", tmp_path) == read_patch(b"\n", tmp_path) == []


class TestFolder:
    @pytest.mark.parametrize("name", ["../f.txt", "in/../../f.txt", "ABSOLUTE", "link.txt", "away/f.txt"])
    def test_files_outside_are_refused(self, tmp_path: Path, name: str) -> None:
        outside, folder = put(tmp_path, "a\n"), tmp_path / "folder"
        (folder / "in").mkdir(parents=True)
        (folder / "link.txt").symlink_to(outside)
        (folder / "away").symlink_to(tmp_path)
        name = name.replace("ABSOLUTE", str(outside))
        with pytest.raises(PatchError, match="is outside"):
            read_patch(f"--- {name}\n+++ {name}\n@@ -1 +1 @@\n-a\n+b\n".encode(), folder)

    @pytest.mark.parametrize("name", ["none.txt", "in", "n" * 300])
    def test_what_is_no_file_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "in").mkdir()
        with pytest.raises(PatchError, match="is not in"):
            read_patch(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n".encode(), tmp_path)

    def test_a_file_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        put(tmp_path, b"a\0\n")
        with pytest.raises(EditFlowError, match="binary"):
            read_patch((HEAD + "@@ -1 +1 @@\n-a\n+b\n").encode(), tmp_path)

"""How a programmer would ask for the fix of a bug, in the words of a commit message."""

import random

from editflow_trainer.injection.bug import BugKind

LIMIT = 60  # characters, exclusive
_NAMED_SHARE = 0.5
_ALWAYS = (
    "Fix bug",
    "Fix the bug",
    "Fix {function}",
    "Fix bug in {function}",
    "Correct {function}",
    "Fix error",
)
_ALWAYS_SHARE = 0.15
_SYNTAX = ("Fix syntax error", "Fix the syntax error", "Fix SyntaxError", "Make it parse", "Fix typo")
_NAME = (
    "Fix NameError",
    "Fix undefined name",
    "Fix typo",
    "Fix the name",
    "Fix variable name",
    "Fix typo in name",
)
_CONDITION = ("Fix the condition", "Correct the check", "Fix wrong condition", "Condition is inverted")

# Templates that suit every bug of the kind, then templates that name the thing ({right}) or its wrong form.
_TEMPLATES: dict[BugKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    BugKind.wrong_comparison: (
        ("Fix comparison", "Fix the comparison operator", "Fix the condition", "Correct the check"),
        (
            "Use {right} to compare",
            "Should be {right}, not {wrong}",
            "Compare with {right} instead of {wrong}",
        ),
    ),
    BugKind.wrong_binary_operator: (
        ("Fix the operator", "Fix calculation", "Correct the arithmetic", "Fix wrong operator"),
        ("Use {right} instead of {wrong}", "Should be {right}, not {wrong}", "Replace {wrong} by {right}"),
    ),
    BugKind.wrong_boolean_operator: (
        ("Fix the condition", "Fix boolean logic", "Correct the check", "Fix logic error"),
        (
            "Use `{right}` instead of `{wrong}`",
            "Conditions should be joined by `{right}`",
            "Use {right} here",
        ),
    ),
    BugKind.wrong_augmented_operator: (
        ("Fix assignment", "Fix the assignment operator", "Fix wrong update"),
        ("Use {right} instead of {wrong}", "Should be {right}", "Assign with {right}"),
    ),
    BugKind.negation: (
        _CONDITION,
        ("Use `{right}`", "Should be `{right}`, not `{wrong}`", "Check `{right}` instead"),
    ),
    BugKind.variable_misuse: (
        ("Use the right variable", "Fix wrong variable", "Fix variable misuse", "Wrong variable used"),
        (
            "Use {right} instead of {wrong}",
            "Use `{right}`",
            "Should be {right}, not {wrong}",
            "Replace {wrong} by {right}",
        ),
    ),
    BugKind.argument_swap: (
        (
            "Fix argument order",
            "Swap the arguments",
            "Fix order of arguments",
            "Arguments are in the wrong order",
        ),
        ("Fix argument order in call to {right}", "Swap arguments of {right}"),
    ),
    BugKind.wrong_literal: (
        ("Fix wrong value", "Fix constant", "Correct the value", "Wrong value", "Wrong literal"),
        ("Use {right}", "Should be {right}", "Use {right} instead of {wrong}", "Change {wrong} to {right}"),
    ),
    BugKind.off_by_one: (
        (
            "Fix off-by-one",
            "Fix off by one error",
            "Fix off-by-one error in bounds",
            "Fix the bound",
            "Fix index",
        ),
        ("Should be {right}", "Use {right}", "Fix off-by-one at {right}", "Fix bound: {right}"),
    ),
    BugKind.wrong_attribute: (
        ("Fix wrong attribute", "Use the right attribute", "Fix method name", "Call the right method"),
        (
            "Use .{right}",
            "Use {right} instead of {wrong}",
            "Should be {right}, not {wrong}",
            "Access `{right}`",
        ),
    ),
    BugKind.missing_not: (
        (*_CONDITION, "Add missing not", "Negate the condition"),
        ("Check `{right}`", "Should be `{right}`"),
    ),
    BugKind.extra_not: (
        (*_CONDITION, "Remove extra not", "Drop the negation"),
        ("Check `{right}`", "Remove not before `{right}`", "Should be `{right}`"),
    ),
    BugKind.missing_return: (
        ("Add missing return", "Return the result", "Return the value", "Missing return", "Forgot to return"),
        ("Add `{right}`", "Should {right}"),
    ),
    BugKind.missing_await: (
        ("Add missing await", "Await the coroutine", "Missing await", "Fix coroutine never awaited"),
        ("Await {right}", "Add await before {right}"),
    ),
    BugKind.missing_self: (
        ("Add missing self", "Fix missing self", "Missing self", "Use self"),
        ("Use {right}", "Add {right}", "Should be {right}"),
    ),
    BugKind.missing_guard: (
        ("Add missing check", "Add guard", "Handle edge case", "Add missing condition", "Handle early exit"),
        ("Add `{right}`", "Add missing `{right}`", "Missing `{right}`"),
    ),
    BugKind.missing_argument: (
        ("Add missing argument", "Fix missing argument", "Pass the missing argument", "Fix call"),
        ("Pass {right}", "Add argument {right}", "Pass `{right}` too"),
    ),
    BugKind.extra_argument: (
        ("Remove extra argument", "Fix call arguments", "Too many arguments", "Drop extra argument"),
        ("Do not pass {right}", "Remove argument {right}", "Drop `{right}` from the call"),
    ),
    BugKind.missing_call: (
        ("Add missing call", "Fix missing call", "Missing function call", "Convert the value"),
        ("Call {right}", "Add call to {right}", "Use {right}()"),
    ),
    BugKind.missing_colon: (
        (*_SYNTAX, "Add missing colon", "Missing colon"),
        ("Add missing `:`", "Expected ':'"),
    ),
    BugKind.missing_bracket: (
        (*_SYNTAX, "Add missing bracket", "Fix unbalanced brackets", "Balance the brackets"),
        ("Add missing `{right}`", "Missing {right}", "Fix missing {right}"),
    ),
    BugKind.extra_bracket: (
        (*_SYNTAX, "Fix brackets", "Fix unbalanced brackets", "Balance the brackets"),
        ("Fix bracket: should be `{right}`", "Fix the `{right}`"),
    ),
    BugKind.missing_quote: (
        (*_SYNTAX, "Add missing quote", "Fix quotes", "Close the string", "Fix unterminated string"),
        ("Add missing {right}", "Missing {right}"),
    ),
    BugKind.missing_comma: (
        (*_SYNTAX, "Add missing comma", "Missing comma"),
        ("Add missing `,`", "Missing ,"),
    ),
    BugKind.broken_keyword: (
        (*_SYNTAX, "Fix keyword", "Fix misspelt keyword", "Fix spelling"),
        ("Fix typo in `{right}`", "Should be {right}, not {wrong}", "{wrong} -> {right}", "Use {right}"),
    ),
    BugKind.misspelt_name: (
        (*_NAME, "Fix spelling", "Fix misspelt name"),
        (
            "Fix typo in name `{right}`",
            "Fix typo: {right}",
            "{wrong} -> {right}",
            "Should be {right}, not {wrong}",
        ),
    ),
    BugKind.undefined_name: (
        (*_NAME, "Use the right variable"),
        (
            "Use {right} instead of {wrong}",
            "{wrong} is not defined",
            "Should be {right}",
            "{wrong} -> {right}",
        ),
    ),
    BugKind.missing_equals: (
        (*_SYNTAX, "Fix comparison", "Compare instead of assigning", "Fix assignment in condition"),
        ("Use == to compare", "Should be ==", "Use == instead of ="),
    ),
    BugKind.wrong_indentation: (
        (
            "Fix indentation",
            "Fix indent",
            "Fix IndentationError",
            "Fix wrong indentation",
            "Indent correctly",
        ),
        ("Fix indentation of the line", "Align the line with its block", "Fix unexpected indent"),
    ),
}


def message(kind: BugKind, right: str, wrong: str, function: str, rng: random.Random) -> str:
    """One line shorter than `LIMIT`; about half of them name what is wrong."""
    generic, naming = _TEMPLATES[kind]
    if function and rng.random() < _ALWAYS_SHARE:
        generic = _ALWAYS
    template = rng.choice(naming if rng.random() < _NAMED_SHARE else generic)
    values = {"right": right.strip(), "wrong": wrong.strip(), "function": function}
    line = template.format(**values)
    named_nothing = any(not value and f"{{{field}}}" in template for field, value in values.items())
    if named_nothing or "\n" in line or len(line) >= LIMIT:
        return rng.choice(_TEMPLATES[kind][0])
    return line

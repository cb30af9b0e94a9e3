"""The split by repository: what names a project, and what is refused."""

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.splits import (
    Project,
    Side,
    check_evaluation,
    check_training,
    project_of,
    repositories,
)

TRAINING = (
    "psf/requests",
    "pallets/flask",
    "dask/distributed",
    "openstack/nova",
    "numpy",
    "pip==26.0",
    "cpython",
)


@pytest.mark.parametrize(
    ("source", "repository"),
    [
        ("pallets/jinja", "pallets/jinja"),
        ("somebody/Jinja", "pallets/jinja"),
        ("Jinja2", "pallets/jinja"),
        ("jinja2[i18n]>=3.1; python_version > '3'", "pallets/jinja"),
        ("docker", "docker/docker-py"),
        ("docker==7.1.0", "docker/docker-py"),
        ("pymongo", "mongodb/mongo-python-driver"),
        ("Mongo_Python.Driver", "mongodb/mongo-python-driver"),
        ("apache-libcloud", "apache/libcloud"),
        ("isort", "PyCQA/isort"),
        ("PyCQA+isort", "PyCQA/isort"),
        ("pip/_vendor/urllib3", "urllib3/urllib3"),
        ("https://git.example/aio-libs/aiohttp.git", "aio-libs/aiohttp"),
        ("git@git.example:ipython/ipython.git", "ipython/ipython"),
    ],
)
def test_forks_packages_and_addresses_are_their_project(source: str, repository: str) -> None:
    assert project_of(source) == Project(repository, Side.validation)
    with pytest.raises(EditFlowError, match=f"is validation .{repository}.") as caught:
        check_training([*TRAINING, source])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source", ["scrapy", "redis", "discord.py", "StackStorm/st2", "me/beets", "Werkzeug"]
)
def test_reserved_projects_are_refused_on_both_sides(source: str) -> None:
    with pytest.raises(EditFlowError, match="is reserved"):
        check_training([source])
    with pytest.raises(EditFlowError, match="is reserved"):
        check_evaluation(["dask/dask", source])
    assert check_evaluation([source], reserved=True) == ()


def test_everything_else_may_be_trained_on_and_is_named_in_an_evaluation() -> None:
    check_training(TRAINING)
    assert check_evaluation(["sqlalchemy/sqlalchemy", *TRAINING]) == tuple(sorted(TRAINING))


def test_every_listed_repository_is_its_own_project() -> None:
    for side, count in ((Side.validation, 17), (Side.reserved, 22)):
        names = repositories(side)
        assert len(names) == count
        assert all(project_of(name) == Project(name, side) for name in names)


def test_the_two_sides_share_no_name() -> None:
    ends = [name.rpartition("/")[2].lower() for side in Side for name in repositories(side)]
    assert len(ends) == len(set(ends))

"""Seeds of the plan that name what there is not: each is refused by its file and row, with what to write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from threegaps.generate.marts import SEEDS
from threegaps.generate.plan_departments import plan_departments
from threegaps.settings import Settings

ROOT = Settings.load().root
SEED_NAMES = ("seed_plan_version", "seed_plan_department", "seed_department")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / SEEDS).mkdir(parents=True)
    for name in SEED_NAMES:
        shutil.copy2(ROOT / SEEDS / f"{name}.csv", tmp_path / SEEDS)
    return tmp_path


@pytest.mark.parametrize(
    ("seed", "old", "new", "refused"),
    [
        ("seed_plan_department", "draft-2025-05,1,,hrss,leads", "draft-2025-06,1,,hrss,leads",
         r"seed_plan_department.csv, row 2: plan_version is 'draft-2025-06': write a version of seed_plan_version.csv"),
        ("seed_plan_department", "draft-2025-05,1,,sectors,carries", "draft-2025-05,1,,sector,carries",
         r"row 3: department_code is 'sector': write a code of seed_department.csv"),
        ("seed_plan_department", "draft-2025-05,1,,hrss,leads", "draft-2025-05,1,,hrss,lead",
         r"row 2: role is 'lead': write one of leads, carries, compiles, signs"),
        ("seed_plan_department", "draft-2025-05,1,,hrss,leads", "draft-2025-05,1,,hrss",
         r"row 2: role is '': write one of"),
        ("seed_plan_version", ",2021-03-29,", ",2021/3/29,", r"row 2: issued_on is '2021/3/29': write a day like"),
        ("seed_plan_version", ",2021-03-29,", ",20210329,", r"row 2: issued_on is '20210329': write a day like"),
        ("seed_plan_version", ",false,", ",no,", r"seed_plan_version.csv, row 2: is_in_force is 'no': write true or"),
    ],
)  # fmt: skip
def test_a_value_that_there_is_not_is_refused_by_its_row(
    project: Path, seed: str, old: str, new: str, refused: str
) -> None:
    path = project / SEEDS / f"{seed}.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=refused):
        plan_departments(project)


def test_the_projects_own_seeds_name_what_there_is() -> None:
    assert plan_departments(ROOT).named

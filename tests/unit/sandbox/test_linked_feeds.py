"""What feeds say of one person, certificate or school fits together, and each has the trouble that it is known for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from sandbox import areas, feeds
from sandbox.calendar import HORIZON
from sandbox.feeds.education import vocational_programmes
from sandbox.feeds.hrss import (
    apprenticeships,
    assessment_bodies,
    dual_certificates,
    employment_services,
    job_vacancies,
    technician_school_projects,
    technician_schools,
    title_awards,
    training_directories,
)
from sandbox.feeds.model import Feed, Scene
from sandbox.feeds.terms import handed_over
from sandbox.feeds.workbooks import consignments
from sandbox.parameters import Parameters
from sandbox.population import Population, generate
from sandbox.population.directories import projects
from sandbox.population.school_programmes import school_programmes
from sandbox.population.schools import schools


@pytest.fixture(scope="module")
def scene(population: Population) -> Scene:
    return Scene(population, Parameters(scale=0.0005, dirt=0.1, truth=False), HORIZON, Path())


def sent(feed: Feed, scene: Scene) -> pl.DataFrame:
    """Everything that the feed ever held."""
    return pl.concat(made.rows for made in feed.make(scene))  # type: ignore[union-attr]  # none of these sends files


def test_the_truth_knows_credit_codes_as_they_were_sent() -> None:
    """A code with a wrong check character is accepted, and resolves nothing that the right one would."""
    small = Scene(generate(0.0001, 7), Parameters(scale=0.0001, dirt=0.3, truth=False), HORIZON, Path())
    unknown: dict[str, set[str]] = {}
    tried = 0
    for together in feeds.senders():
        # wages are known by the employer's number: nobody reads their codes
        if together[0].name == "hrss/wage_records":
            continue
        sent: set[str] = set()
        for made in consignments(small, together):
            wrong = made.rows.filter(pl.col("_rules") == "uscc_check_digit")
            sent = sent.union(*(wrong[name].drop_nulls() for name in wrong.columns if name.endswith("uscc")))
        kept = [small.accepted[feed.name] for feed in together if feed.name in small.accepted]
        known = set().union(*(rows[name] for rows in kept for name in rows.columns if name.endswith("uscc")))
        unknown |= {together[0].name: sent - known} if sent - known else {}
        tried += bool(sent)
    assert unknown == {}
    assert tried > 15


def test_drop_outs_without_a_day_and_ends_that_nobody_reported(scene: Scene) -> None:
    every = apprenticeships.apprenticeships(scene)
    left = every.filter(pl.col("status") == "03")
    assert 0.2 < left["ended_on"].is_null().mean() < 0.6  # type: ignore[operator]  # a mean of booleans is one
    assert every.filter(pl.col("status") == "02")["ended_on"].null_count() == 0
    overdue = every.filter((pl.col("status") == "01") & (pl.col("planned_end_date") < date(2025, 12, 31)))
    assert len(overdue) > 3
    # Most finish about when they get the certificate that they aim at.
    held = every.join(scene.people.certificates.select("person", "level_code", "issued_on"), on="person")
    near = (pl.col("issued_on") - pl.col("planned_end_date")).dt.total_days().is_between(-70, 160)
    reached = held.filter(near & (pl.col("level_code") == pl.col("target_level_code")))["person"].n_unique()
    assert 0.4 < reached / len(every) < 0.8


def test_a_dual_certificate_is_one_of_the_certificates(scene: Scene) -> None:
    known = scene.people.certificates["certificate_number"]
    rows = dual_certificates.dual_certificates(scene)
    assert rows["certificate_number"].is_in(known.implode()).all()
    mistyped = ~rows["number_sent"].is_in(known.implode())
    assert 0 < mistyped.sum() < 0.05 * len(rows)


def test_a_return_names_an_enrolment_on_leave(scene: Scene) -> None:
    rows = sent(technician_schools.FEED, scene).filter(pl.col("_rules") == "")
    returned = rows.filter(pl.col("entry_kind") == "2")
    on_leave = rows.filter(pl.col("status") == "02")["enrollment_id"]
    assert len(returned) > 5
    assert returned["resumes_enrollment_id"].is_in(on_leave.implode()).mean() > 0.9  # type: ignore[operator]
    again = rows.group_by("enrollment_id").agg("status").filter(pl.col("status").list.slice(1).list.contains("01"))
    assert len(again) > 5


def test_a_student_enrols_in_a_school_that_is_there(scene: Scene) -> None:
    rows = technician_schools.enrollments(scene).join(
        schools(scene.parameters.seed).select("school", "uscc", "opened_on", "merged_on"), on="school"
    )
    new = rows.filter(pl.col("entry_kind") == "1")
    assert (new["opened_on"] <= new["enrolled_on"]).all()
    assert ((new["merged_on"] > new["enrolled_on"]) | new["merged_on"].is_null()).all()
    assert (rows["uscc"] == rows["school_uscc"]).all()
    two = rows.group_by("school_code").agg(pl.col("school_uscc").n_unique()).filter(pl.col("school_uscc") > 1)
    assert len(two)


def test_a_project_belongs_to_a_school_that_was_there_when_it_was_named(scene: Scene) -> None:
    rows = technician_school_projects.projects(scene).join(
        schools(scene.parameters.seed).select("school", "opened_on"), on="school"
    )
    assert len(rows) == technician_school_projects.COLLEGES + technician_school_projects.GROUPS
    assert (rows["opened_on"] < rows["named_on"]).all()
    assert set(rows["status"]) == {"01", "02", "03"}


def test_an_employer_is_registered_once_at_a_time(scene: Scene) -> None:
    rows = assessment_bodies.bodies(scene).sort("uscc", "valid_from")
    again = rows.filter(pl.col("uscc") == pl.col("uscc").shift(-1))
    after = rows.filter(pl.col("uscc") == pl.col("uscc").shift(1))
    assert len(again) > 5
    assert (again["ended_on"] < after["valid_from"]).all()


def test_most_trainees_are_served_and_titles_go_to_the_skilled(scene: Scene) -> None:
    begun = scene.people.trainings.filter(pl.col("version") == 1)
    served = employment_services.services(scene).select("person", "served_on")
    met = (pl.col("served_on") >= pl.col("start_date") - pl.duration(days=90)) & (
        pl.col("served_on") <= pl.col("planned_end_date") + pl.duration(days=180)
    )
    links = begun.join(served, on="person").filter(met)["enrollment_id"].n_unique()
    assert 0.5 < links / len(begun) < 0.8
    applied = title_awards.applications(scene)
    assert applied.filter(pl.col("outcome") != "1")["awarded_on"].is_not_null().sum() == 0
    level = applied.join(scene.people.persons.select("person", "level"), on="person")["level"]
    assert level.is_in(["3", "2", "1", "T", "S"]).mean() > 0.7  # type: ignore[operator]


def test_vacancies_and_directories_name_the_same_projects(scene: Scene) -> None:
    known = projects(scene.parameters.seed)["project_code"]
    listed = training_directories.entries(scene)
    needs = listed.filter(pl.col("directory_kind") == training_directories.NEEDS)["entry_code"]
    assert needs.is_in(known.implode()).all()
    posted = job_vacancies.vacancies(scene)["project_code"].drop_nulls()
    assert posted.is_in(known.implode()).all()
    # Some projects are on no list, and some districts have none and stand on their city's.
    assert 0.5 < posted.is_in(needs.implode()).mean() < 0.95  # type: ignore[operator]
    lists = listed.filter(pl.col("directory_kind") == training_directories.NEEDS)["area_code"].unique()
    assert 60 < lists.is_in(areas.load().codes).sum() < 90
    providers = listed["provider_uscc"]
    assert schools(scene.parameters.seed)["uscc"].is_in(providers.implode()).any()


def test_lists_lapse_and_are_revised(scene: Scene) -> None:
    listed = training_directories.entries(scene)
    assert (listed["valid_until"] >= listed["valid_from"]).all()
    added = listed.filter(pl.col("revised_on") > pl.col("revised_on").min().over("directory_id"))
    assert 0.01 < len(added) / len(listed) < 0.1
    needs = listed.filter((pl.col("directory_kind") == "01") & pl.col("area_code").is_in(areas.load().codes))
    in_force = needs.filter(pl.lit(date(2025, 3, 31)).is_between("valid_from", "valid_until"))["area_code"].n_unique()
    assert in_force < needs["area_code"].n_unique()


def test_specialties_are_of_schools_that_education_lists_and_end_with_them(scene: Scene) -> None:
    taught = vocational_programmes.programmes(scene)
    every = schools(scene.parameters.seed)
    assert set(taught["school"]) <= set(every.filter("is_listed_by_education")["school"])
    gone = every.filter(pl.col("merged_on").is_not_null()).select("school", "merged_on")
    ended = school_programmes(scene.parameters.seed).join(gone, on="school")
    assert len(ended)
    assert (ended["closed_on"] <= ended["merged_on"]).all()


def test_what_changes_in_a_term_comes_when_it_ends() -> None:
    changes = pl.DataFrame({"at": ["2025-09-01 09:00:00", "2026-01-31 09:00:00", "2026-02-01 09:00:00"]})
    assert changes.select(came=handed_over("at"))["came"].to_list() == [
        "2026-01-31 20:00:00",
        "2026-01-31 20:00:00",
        "2026-08-31 20:00:00",
    ]

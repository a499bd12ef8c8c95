"""The linked synthetic population: persons, employers, spells, trainings, certificates. All of it is 合成数据.

One numpy Generator per subject, spawned from the seed, so that a change in one subject leaves the others as they were.
Dates are numpy datetime64[D]; a missing date is NaT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from sandbox.population.certificates import make_certificates, with_residences
from sandbox.population.codes import EMPLOYED_IN_PROVINCE, FIRST_MONTH, LAST_DAY, SHARE_EMPLOYED, TRAININGS_A_YEAR
from sandbox.population.courses import with_courses
from sandbox.population.employers import employer_types, make_employers
from sandbox.population.persons import make_persons
from sandbox.population.spells import make_spells, with_employer_types
from sandbox.population.trainings import make_trainings


@dataclass(frozen=True, slots=True)
class Population:
    """The clean province. Frames hold typed canonical columns; `person` and `employer` are row indexes."""

    persons: pl.DataFrame
    employers: pl.DataFrame
    spells: pl.DataFrame
    certificates: pl.DataFrame
    trainings: pl.DataFrame  # every version; column `version` counts from 1


def generate(scale: float, seed: int) -> Population:
    """The population at `scale` (1 = 39 million employed). Deterministic by both arguments."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(5)]
    number = max(round(EMPLOYED_IN_PROVINCE * scale / SHARE_EMPLOYED), 400)
    years = float((LAST_DAY - FIRST_MONTH).astype(int)) / 365.25
    employers = make_employers(number, streams[0])
    persons = make_persons(number, streams[1])
    spells = make_spells(persons, employers, streams[2])
    trainings = make_trainings(persons, spells, max(int(TRAININGS_A_YEAR * scale * years), 90), streams[3])
    trainings = with_courses(trainings, seed)
    certificates = make_certificates(persons, employers, spells, trainings, streams[4])
    return Population(
        persons,
        employers,
        with_employer_types(spells, employer_types(employers, seed)),
        with_residences(certificates, persons, seed),
        trainings,
    )

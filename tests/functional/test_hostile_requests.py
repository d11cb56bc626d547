# SPDX-License-Identifier: GPL-2.0
"""Hostile clients: what can be read in two ways is refused, and what is read is one request.

Each case comes twice: in the segments that it is written in, and in many small ones.
"""

from collections.abc import Iterator

import pytest
from hostile import (
    chunks,
    codings,
    expectations,
    fields,
    framing,
    hop_by_hop,
    lines,
    pipelines,
    sizes,
    targets,
)
from hostile.case import Case
from hostile.stage import PIECE, PIECES_MAX, Stage, pieces, stage

TABLES = (
    chunks,
    codings,
    expectations,
    fields,
    framing,
    hop_by_hop,
    lines,
    pipelines,
    sizes,
    targets,
)

CASES = [case for table in TABLES for case in table.CASES]


@pytest.fixture(scope="module")
def on_stage(module: None) -> Iterator[Stage]:
    """What all cases are played on."""
    with stage(Stage) as it:
        yield it


@pytest.fixture(autouse=True)
def clean(on_stage: Stage) -> Iterator[None]:
    """Takes the place of the fixture that flushes the configuration behind each test: here what
    must be clean is the kernel's log; each case looks after its connections itself."""
    yield
    assert not on_stage.complaints.fresh()


def test_ids() -> None:
    """No case stands in for another."""
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids)) >= 400


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_request(on_stage: Stage, case: Case) -> None:
    """What comes of a case, whole and in pieces."""
    on_stage.play(case, case.sends)
    if sum(map(len, case.sends)) <= PIECES_MAX:
        on_stage.play(case, pieces(case.sends, PIECE))

"""CSV that a spreadsheet opens without running anything."""

import pytest

from healthrecords.spreadsheet import as_csv, harmless


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_made_harmless(cell):
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ann", "a=1", "O'Brien, Ann", " =1"])
def test_other_cells_stay_as_they_are(cell):
    assert harmless(cell) == cell


def test_a_table_is_quoted_where_it_must_be():
    assert as_csv(["a", "b"], [["=1", 'x,"y"']]) == 'a,b\r\n\'=1,"x,""y"""\r\n'

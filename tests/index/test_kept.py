"""What is kept: the last values that were asked for, and nothing that could not be made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.index.kept import Kept


@given(st.integers(1, 5), st.lists(st.integers(0, 7), max_size=60))
def test_the_last_that_were_asked_for_are_kept(most, asked):
    kept, made, held = Kept(most), [], []
    for key in asked:
        assert kept.get(key, lambda key=key: made.append(key) or 10 * key) == 10 * key
        expected = key in held
        held = [*(one for one in held if one != key), key][-most:]
        assert (made[-1:] == [key] and not expected) or expected
    assert len(made) == sum(
        key not in list(dict.fromkeys(reversed(asked[:at])))[:most] for at, key in enumerate(asked)
    )


def test_what_fails_is_tried_again():
    kept = Kept(2)
    with pytest.raises(KeyError):
        kept.get("a", {}.popitem)
    assert kept.get("a", lambda: 1) == 1

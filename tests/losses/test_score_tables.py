"""Tables of scores: how many rows at a time, that every row comes once, and what slopes give."""

from __future__ import annotations

import pytest
import torch

from sayso.losses.score_tables import add_products, blocks, tables


@pytest.mark.parametrize(
    ("B", "G", "rows"),
    [
        (5, 10, 5),
        (1024, 10, 1024),
        (5000, 10, 1024),
        (5000, 8192, 1024),
        (5000, 20_000, 419),
        (5000, 32_768, 256),
        (5000, 100_000, 256),
    ],
)
def test_a_table_has_as_many_rows_as_pay_and_no_more_scores_than_must_be(B, G, rows):
    image = torch.empty(B, 3, device="meta")
    for kept in (None, torch.empty(B, G, device="meta")):
        parts = [(part.start, part.stop, tuple(table.shape)) for part, table in tables(image, G, kept)]
        starts = range(0, B, rows)
        assert parts == [(k, min(k + rows, B), (min(k + rows, B) - k, G)) for k in starts]


@pytest.mark.parametrize(
    ("N", "G", "rows"), [(100, 2500, 52), (7, 1 << 17, 1), (7, 1 << 18, 1), (60, 1 << 15, 4)]
)
def test_a_block_stays_in_the_cache(N, G, rows):
    table = torch.empty(N, G, device="meta")
    found = [
        (part.start, part.stop, len(block), len(memory))
        for part, block, memory in blocks(slice(1000, 1000 + N), table)
    ]
    sizes = [min(rows, N - start) for start in range(0, N, rows)]
    starts = range(1000, 1000 + N, rows)
    assert found == [(start, start + size, size, size) for start, size in zip(starts, sizes, strict=True)]


def test_slopes_are_summed_over_all_rows_whatever_the_memory_held():
    generator = torch.Generator().manual_seed(0)
    slopes, image, text = (torch.randn(*shape, generator=generator) for shape in ((7, 5), (7, 3), (5, 3)))
    found = torch.full((7, 3), torch.nan), torch.full((5, 3), torch.nan)
    for part in (slice(0, 3), slice(3, 6), slice(6, 7)):
        add_products(slopes[part], part, image, text, found, 2.0)
    torch.testing.assert_close(found[0], 2 * slopes @ text)
    torch.testing.assert_close(found[1], 2 * slopes.T @ image)

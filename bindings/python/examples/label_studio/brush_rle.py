"""Masks as Label Studio's brush regions have them: the "rle" of a result.

Label Studio keeps a mask as the bytes of an RGBA picture, each byte 0 or 255, in rows, which are packed as thi.ng's
rle-pack does: 32 bits for the number of bytes, 5 for the bits of a value less one, four times 4 for the bits less one of
each kind of length; then per run a 1, two bits for the kind, the length less one, and the value. Runs of one byte, which
have a form of their own, do not occur here. A string of bits, highest first, given as the numbers of its bytes.
"""
from __future__ import annotations

import numpy as np

_LENGTH_BITS = np.array([3, 4, 8, 16])
_VALUE_BITS = 8
_LONGEST = 2**16
_CHANNELS = 4


def encode(mask: np.ndarray) -> list[int]:
    """The RLE of a mask, bool or numbers [height, width], of which 0 is outside."""
    inside = np.asarray(mask).ravel() != 0
    starts = np.flatnonzero(np.concatenate(([True], inside[1:] != inside[:-1]))) if inside.size else np.empty(0, int)
    lengths = np.diff(np.append(starts, inside.size)) * _CHANNELS
    values = inside[starts].astype(np.int64) * 255
    # What is longer than the longest length is several runs, all but the last of which are as long as can be.
    pieces = -(-lengths // _LONGEST)
    last = np.cumsum(pieces) - 1
    piece_lengths = np.full(pieces.sum(), _LONGEST)
    piece_lengths[last] = lengths - (pieces - 1) * _LONGEST
    # The shortest kind that holds the run; the pieces of one are all of the longest.
    kinds = np.repeat(np.searchsorted(2**_LENGTH_BITS[:-1], lengths), pieces)
    bits = _LENGTH_BITS[kinds]
    words = ((0b100 | kinds) << bits | piece_lengths - 1) << _VALUE_BITS | np.repeat(values, pieces)
    body = _bits(words, 3 + bits + _VALUE_BITS)
    head = f"{inside.size * _CHANNELS:032b}{_VALUE_BITS - 1:05b}" + "".join(f"{bits - 1:04b}" for bits in _LENGTH_BITS)
    string = np.concatenate((np.frombuffer(head.encode(), np.uint8) - ord("0"), body))
    # Label Studio's own encoder fills up the last byte, and adds one where it is full.
    return np.packbits(np.append(string, np.zeros(8 - string.size % 8, np.uint8))).tolist()


def _bits(words: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The lowest `counts` bits of each word, highest first, one after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if ends.size else 0
    place = np.repeat(ends, counts) - 1 - np.arange(total)  # of each bit in its word
    return (np.repeat(words, counts) >> place & 1).astype(np.uint8)

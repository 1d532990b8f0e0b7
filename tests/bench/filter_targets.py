"""What we want filters to reach, as data."""
from tables import Target
from texts import LINES, TEXTS

BEYOND_ASCII = [text for text in TEXTS if text != 'ascii']

# What a kernel reaches, by the instruction set that it may use: of the best one what it is, of the next a quarter.
KERNELS = {'upper avx512': 1, 'upper avx2': 1 / 4}

TARGETS = [
    Target('upper-pipe-ascii', 'rate', '≥', 3.5, 'tr'),
    Target('upper-pipe-ascii', 'rate', '≥', 0.9, 'cat'),
    Target('upper-pipe-portuguese', 'rate', '≥', 0.7, 'cat'),
    *(Target(f'upper-pipe-{text}', 'rate', '≥', 0.5, 'cat') for text in ('greek', 'russian', 'mixed')),
    Target('upper-file-ascii', 'rate', '≥', 5, 'tr'),
    *(Target(f'upper-file-{text}', 'rate', '≥', 40, peer)
      for text in BEYOND_ASCII for peer in ('uconv', 'sed', 'perl', 'python3')),
    *(Target(f'upper-write-{text}', 'rate', '≥', 0.7, 'cat') for text in TEXTS),
    *(Target(f'upper-memory-{text}', 'rate', '≥', factor * share, against, kernel)
      for kernel, share in KERNELS.items()
      for text, factor, against in (
          ('ascii', 0.6, 'memcpy'), ('portuguese', 20, 'ICU'), ('greek', 20, 'ICU'), ('russian', 20, 'ICU'),
          ('cjk', 5, 'ICU'), ('mixed', 20, 'ICU'))),
    *(target for lines in LINES for target in (
        Target(f'count-one-{lines}', 'rate', '≥', 2.5, 'wc -l'),
        Target(f'count-one-{lines}', 'rate', '≥', 0.85, 'read()'),
        Target(f'count-file-{lines}', 'rate', '≥', 4, 'wc -l'),
        Target(f'count-pipe-{lines}', 'rate', '≥', 1.25, 'wc -l'),
        Target(f'count-pipe-{lines}', 'rate', '≥', 0.95, 'cat'),
        Target(f'count-pass-{lines}', 'rate', '≥', 1.5, 'pv -l'))),
    Target('count-sparse', 'elapsed', '≤', 1),
    # Decision 5 in ARCHITECTURE.md: filters start as fast as the system's.
    Target('upper-start', 'median', '≤', 1.0, 'tr'),
    Target('count-start', 'median', '≤', 1.0, 'wc -l'),
    Target('upper-peak', 'peak', '≤', 4),
    Target('count-peak', 'peak', '≤', 4),
]

"""What we want to reach, as data."""
import dataclasses

BEST = 'best peer'


@dataclasses.dataclass(frozen=True)
class Target:
    case: str
    metric: str
    sign: str  # '≥' or '≤'
    factor: float
    against: str = ''  # a peer; BEST, of those that are relays; nobody: `factor` is the figure itself


TARGETS = [
    Target('tcp-tcp', 'rate', '≥', 2.5, 'socat'),
    Target('tcp-tcp', 'rate', '≥', 1.0, BEST),
    Target('tcp-tcp', 'rate', '≥', 0.8, 'direct'),
    Target('tcp-tcp', 'cpu', '≤', 0.16, 'socat'),
    Target('tcp-tcp', 'cpu', '≤', 0.75, 'socat -b 256K'),
    Target('tcp-tcp', 'cpu', '≤', 0.35, 'HAProxy'),
    Target('pipe-pipe', 'rate', '≥', 1.0, 'cat'),
    Target('pipe-pipe', 'rate', '≥', 1.0, 'pv'),
    Target('file-tcp', 'rate', '≥', 1.2, BEST),
    Target('tcp-file', 'rate', '≥', 1.2, BEST),
    Target('udp', 'rate', '≥', 6.0, 'socat'),
    Target('udp', 'cpu', '≤', 0.15, 'socat'),
    Target('udp', 'lost', '≤', 0),
    Target('connections', 'rate', '≥', 1.0, 'HAProxy'),
    Target('connections', 'rate', '≥', 1.0, 'nginx'),
    Target('connections', 'rate', '≥', 40.0, 'socat'),
    Target('ping-pong', 'median', '≤', 1.0, BEST),
    Target('ping-pong', 'cpu', '≤', 1.0, BEST),
    Target('idle', 'client', '≤', 3),
    Target('idle', 'process', '≤', 4),
    Target('exec', 'rate', '≥', 2.0, 'socat'),
    # Decision 5 in ARCHITECTURE.md: filters start as fast as the system's.
    Target('start-version', 'median', '≤', 1.0, 'socat'),
    Target('start-transfer', 'median', '≤', 1.0, 'socat'),
    Target('start-upper', 'median', '≤', 1.0, 'tr'),
    Target('start-count', 'median', '≤', 1.0, 'wc -l'),
]

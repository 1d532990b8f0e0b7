"""What we want relays to reach, as data."""
from tables import BEST, Target

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
    # Decision 5 in ARCHITECTURE.md: start-up is what a short use costs.
    Target('start-version', 'median', '≤', 1.0, 'socat'),
    Target('start-transfer', 'median', '≤', 1.0, 'socat'),
]

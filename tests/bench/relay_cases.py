"""What is measured of relays, as data, and how: each case gives its figures for one peer at a time."""
import contextlib
import dataclasses
import os
import pwd
import random
import socket
import subprocess
import time

from partners.bench import bound_in_kernel, unix_bound_in_kernel, until
from programs import DEADLINE, Bench, Failed, Pipeline, start_up
from tables import CPU, RATE, START, Case, Metric

PACKETS = Metric('rate', 'packets/s', True, 0)
PACKET_CPU = Metric('cpu', 'CPU µs/packet')
LOST = Metric('lost', 'lost packets', digits=0, compared=False)
CONNECTIONS = Metric('rate', 'connections/s', True, 0)
CONNECTION_CPU = Metric('cpu', 'CPU µs/connection', digits=1)
MEDIAN = Metric('median', 'median µs', digits=1)
P99 = Metric('p99', 'p99 µs', digits=1)
TRIP_CPU = Metric('cpu', 'CPU µs/round trip', digits=1)
CLIENT = Metric('client', 'KB/idle client')
PROCESS = Metric('process', 'MB without clients')


@dataclasses.dataclass(frozen=True)
class Sizes:
    gigabytes: float = 4  # TCP to TCP; half of it elsewhere
    seconds: float = 3  # of what is measured by time
    clients: int = 5000
    forked_clients: int = 200  # of a peer with a process for each
    starts: int = 300
    threads: int = 1

    @property
    def milliseconds(self):
        return int(self.seconds * 1000)


QUICK = {'gigabytes': 0.2, 'seconds': 0.3, 'clients': 200, 'forked_clients': 20, 'starts': 20}


def free_port(kind=socket.SOCK_STREAM):
    """A port for who cannot be asked which one it took: below those that the kernel gives to others."""
    for port in random.sample(range(10000, 30000), 100):
        with socket.socket(socket.AF_INET, kind) as one, contextlib.suppress(OSError):
            one.bind(('127.0.0.1', port))
            return port
    raise Failed('no port is free')


class RelayBench(Bench):
    """With servers, and relays between them."""

    def server(self, *words, **streams):
        """Traffic that serves; returns it and its port."""
        program = self.traffic(*words, **streams)
        return program, program.figures()['port']

    def relay(self, peer, case, ready=None, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **words):
        """Starts a peer for a case, and waits until it serves where it has to: `tcp`, `udp` or `unix`."""
        listen = free_port(socket.SOCK_DGRAM if ready == 'udp' else socket.SOCK_STREAM) if ready else 0
        path = self.folder / 'socket'
        words = {
            **words, 'listen': listen, 'path': path, 'folder': self.folder, 'config': self.folder / 'config',
            'listener': path if ready == 'unix' else f'127.0.0.1:{listen}',
            'nginx_listener': f'unix:{path}' if ready == 'unix' else f'127.0.0.1:{listen}' + ' udp' * (ready == 'udp'),
            'nginx_modules': '/usr/lib/nginx/modules', 'user': pwd.getpwuid(os.geteuid()).pw_name,
            'threads': self.sizes.threads, 'connections': self.sizes.clients + 100,
            'descriptors': 2 * self.sizes.clients + 300,
        }
        if peer.config:
            words['config'].write_text(peer.config.format(**words))
        commands = [command.format(**words).split() for command in peer.commands[case.name].split(' | ')]
        relay = Pipeline(commands, stdin, stdout)
        self.stack.callback(relay.end)
        if ready:
            bound = unix_bound_in_kernel(path) if ready == 'unix' else bound_in_kernel(ready, listen)
            if peer.is_server and ready == 'unix':
                bound = path.exists  # HAProxy binds and listens under another name and renames it
            until(lambda: relay.ended() or bound(), f'{peer.name} serves')
            if relay.ended():
                relay.complain('it has ended')
        return relay, f'unix:{path}' if ready == 'unix' else f'{ready}:{listen}'


def bulk(bench, case, peer):
    """Bytes one way, from and to what the case's name says."""
    source, sink = case.name.split('-')
    size = int(bench.sizes.gigabytes * 1e9 / (1 if case.name == 'tcp-tcp' else 2))
    stdin = stdout = subprocess.DEVNULL
    ours = []  # ends of what only our children use
    receiver, target = None, 0
    file = bench.folder / 'file'

    if sink == 'tcp':
        receiver, target = bench.server('receive', 'tcp:0')
    elif sink == 'pipe':
        reading, stdout = os.pipe()
        receiver = bench.traffic('receive', '-', stdin=reading)
        ours += [reading, stdout]
    else:
        stdout = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        ours.append(stdout)

    outlet = stdout
    if source == 'pipe' and not peer.limit:
        stdin, outlet = os.pipe()
        ours += [stdin, outlet]
    elif source == 'file':
        with open(file, 'wb') as made:
            bench.traffic('send', '-', size, stdout=made).wait(DEADLINE)
        stdin = os.open(file, os.O_RDONLY)
        ours.append(stdin)

    relay, before, where = None, 0.0, f'tcp:{target}'
    if not peer.limit:
        ready = source if source in ('tcp', 'unix') else None
        relay, where = bench.relay(peer, case, ready, stdin, stdout, target=target, file=file)
        before = relay.cpu() if peer.is_server else 0.0
    sender = None
    if source == 'pipe':
        sender = bench.traffic('send', '-', size, stdout=outlet)
    elif source != 'file':
        sender = bench.traffic('send', where, size)
    for end in ours:
        os.close(end)

    patience = 20 * bench.sizes.gigabytes
    said = [one.figures(patience) for one in (sender, receiver) if one]
    if relay and not peer.is_server:
        relay.wait(DEADLINE)
    over = said[-1]['end'] if receiver else time.monotonic_ns()
    arrived = said[-1]['bytes'] if receiver else file.stat().st_size
    if arrived != size:
        raise Failed(f'{arrived} of {size} bytes arrived')
    figures = {'rate': size / (over - max(one['start'] for one in said))}
    if relay:
        figures['cpu'] = (relay.cpu() - before) / (size / 1e9)
    return figures


def between(bench, case, peer, echo, ready):
    """A relay, or none, before an echo: the relay, its CPU time and where clients come."""
    _, target = bench.server(echo, f'{ready}:0')
    if peer.limit:
        return None, 0.0, f'{ready}:{target}'
    relay, where = bench.relay(peer, case, ready, target=target)
    return relay, relay.cpu(), where


def with_cpu(figures, relay, before, count):
    """Adds what the relay has used for each of so many, in microseconds."""
    if relay and count:
        figures['cpu'] = (relay.cpu() - before) * 1e6 / count
    return figures


def udp(bench, case, peer):
    """Datagrams of 64 bytes to an echo and back, 128 on their way."""
    relay, before, where = between(bench, case, peer, 'udp-echo', 'udp')
    said = bench.traffic('udp', where, 64, 128, bench.sizes.milliseconds).figures(bench.sizes.seconds)
    figures = {'rate': said['received'] / said['elapsed'] * 1e9, 'lost': said['lost']}
    return with_cpu(figures, relay, before, said['received'])


def rate_of(said):
    return {'rate': said['count'] / said['elapsed'] * 1e9}


def connect_rate(bench, relay, before, where, at_once):
    said = bench.traffic('connect-rate', where, at_once, bench.sizes.milliseconds).figures(bench.sizes.seconds)
    if said['failed'] > said['count'] / 100:
        raise Failed(f'{said["failed"]} connections failed beside {said["count"]}')
    return with_cpu(rate_of(said), relay, before, said['count'])


def connections(bench, case, peer):
    """Connect, a byte to an echo and back, close: 64 at a time."""
    return connect_rate(bench, *between(bench, case, peer, 'echo', 'tcp'), 64)


def executed(bench, case, peer):
    """The same with a program for each connection, 16 at a time. Without a relay, only the programs are started."""
    if peer.limit:
        said = bench.traffic('start-rate', 16, bench.sizes.milliseconds, '/bin/cat').figures(bench.sizes.seconds)
        return rate_of(said)
    relay, where = bench.relay(peer, case, 'tcp')
    return connect_rate(bench, relay, relay.cpu(), where, 16)


def ping_pong(bench, case, peer):
    """64 bytes to an echo and back over one connection, one at a time."""
    relay, before, where = between(bench, case, peer, 'echo', 'tcp')
    said = bench.traffic('ping-pong', where, 64, bench.sizes.milliseconds).figures(bench.sizes.seconds)
    return with_cpu({'median': said['median'] / 1e3, 'p99': said['p99'] / 1e3}, relay, before, said['count'])


def idle(bench, case, peer):
    """Memory without clients, and what each adds that has exchanged a byte and waits."""
    relay, _, where = between(bench, case, peer, 'echo', 'tcp')
    count = bench.sizes.forked_clients if peer.name == 'socat' else bench.sizes.clients
    process = relay.pss()
    clients = bench.traffic('idle', where, count, stdin=subprocess.PIPE)
    clients.figures()
    grown = relay.pss()
    clients.process.stdin.close()
    return {'client': (grown - process) / count / 1e3, 'process': process / 1e6}


CASES = [
    Case('tcp-tcp', ('bulk',), 'TCP to TCP', (RATE, CPU), bulk),
    Case('unix-tcp', ('bulk',), 'AF_UNIX to TCP', (RATE, CPU), bulk),
    Case('pipe-tcp', ('bulk',), 'pipe to TCP', (RATE, CPU), bulk),
    Case('tcp-pipe', ('bulk',), 'TCP to pipe', (RATE, CPU), bulk),
    Case('file-tcp', ('bulk',), 'file to TCP', (RATE, CPU), bulk),
    Case('tcp-file', ('bulk',), 'TCP to file', (RATE, CPU), bulk),
    Case('pipe-pipe', ('bulk',), 'standard input to standard output, pipes', (RATE, CPU), bulk),
    Case('udp', ('udp',), 'UDP echo, 64 bytes, 128 on their way', (PACKETS, PACKET_CPU, LOST), udp),
    Case('connections', ('connections',), 'connections, 64 at a time', (CONNECTIONS, CONNECTION_CPU), connections),
    Case('ping-pong', ('ping-pong',), 'ping-pong, 64 bytes', (MEDIAN, P99, TRIP_CPU), ping_pong),
    Case('idle', ('idle',), 'idle clients', (CLIENT, PROCESS), idle),
    Case('exec', ('exec',), 'EXEC:/bin/cat for each connection', (CONNECTIONS, CONNECTION_CPU), executed),
    Case('start-version', ('start-up',), 'start-up: -V', (START,), start_up),
    Case('start-transfer', ('start-up',), 'start-up: -u /dev/null -', (START,), start_up),
]

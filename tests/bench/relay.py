"""Measures sockcat beside other relays; tests/bench/relay runs it."""
import dataclasses
import functools
import os

import command  # first: it says where the others' modules are
from programs import raise_descriptor_limit
from relay_cases import CASES, QUICK, RelayBench, Sizes
from relay_peers import PEERS, sockcat
from relay_targets import TARGETS

DESCRIPTION = 'Measure sockcat beside its peers and the targets. Packages of servers that it installs may start these.'


def command_line():
    parser = command.option_parser('relay', DESCRIPTION, CASES, 'bench')
    parser.add_argument('--threads', type=command.positive, default=1, metavar='N',
                        help='threads of each server that can be told (1)')
    parser.add_argument('--beside', action='append', default=[], metavar='NAME=SOCKCAT',
                        type=functools.partial(command.named_path, wanted='a program',
                                               suits=lambda path: os.access(path, os.X_OK)),
                        help='also measure another build of sockcat')
    return parser.parse_args()


def all_peers(tools, beside):
    """Ours first, then those that are installed."""
    ours = [sockcat(name, path, command.knows_option(path, '--threads'), beside=path != tools / 'sockcat')
            for name, path in [('sockcat', tools / 'sockcat'), *beside]]
    return ours + command.installed(PEERS)


def main():
    options = command_line()
    command.check_tables(CASES, PEERS, TARGETS)
    build, output = command.prepare(options)

    sizes = Sizes(threads=options.threads, **(QUICK if options.quick else {}))
    # A relayed client takes two descriptors of the relay; some are needed besides.
    limit = raise_descriptor_limit(2 * sizes.clients + 1000)
    if limit < 2 * sizes.clients + 1000:
        sizes = dataclasses.replace(sizes, clients=max(1, (limit - 1000) // 2))
        print(f'==> {sizes.clients} idle clients only: the limit of open files is {limit}')
    open_bench = functools.partial(RelayBench, build / 'tests/bench/traffic', sizes)
    return command.run(options, options.only, all_peers(build / 'tools', options.beside), TARGETS, sizes, open_bench,
                       build, output, reference='socat')


if __name__ == '__main__':
    command.exit_with(main)

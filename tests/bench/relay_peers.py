"""The relays that are measured, as data: what each is started with for each case.

A command may be a pipeline; its words name {listen} and {target} (ports on 127.0.0.1), {path} (an AF_UNIX socket),
{file}, {config} and {threads}. Where a case has a pipe or a file at an end, it is at standard input or output, too."""
from tables import Peer

SERVE = 'TCP-LISTEN:{listen},bind=127.0.0.1,fork,reuseaddr,backlog=1024'

# sockcat and socat are told the same.
SOCAT_WORDS = {
    'tcp-tcp': '-u TCP-LISTEN:{listen},bind=127.0.0.1,reuseaddr TCP:127.0.0.1:{target}',
    'unix-tcp': '-u UNIX-LISTEN:{path} TCP:127.0.0.1:{target}',
    'pipe-tcp': '-u - TCP:127.0.0.1:{target}',
    'tcp-pipe': '-u TCP-LISTEN:{listen},bind=127.0.0.1,reuseaddr -',
    'file-tcp': '-u OPEN:{file} TCP:127.0.0.1:{target}',
    'tcp-file': '-u TCP-LISTEN:{listen},bind=127.0.0.1,reuseaddr CREATE:{file}',
    'pipe-pipe': '-u - -',
    'udp': 'UDP-LISTEN:{listen},bind=127.0.0.1 UDP:127.0.0.1:{target}',
    'connections': SERVE + ' TCP:127.0.0.1:{target}',
    'ping-pong': 'TCP-LISTEN:{listen},bind=127.0.0.1,reuseaddr TCP:127.0.0.1:{target}',
    'idle': SERVE + ' TCP:127.0.0.1:{target}',
    'exec': SERVE + ' EXEC:/bin/cat',
    'start-version': '-V',
    'start-transfer': '-u /dev/null -',
}
BULK = ('tcp-tcp', 'unix-tcp', 'pipe-tcp', 'tcp-pipe', 'file-tcp', 'tcp-file', 'pipe-pipe')


def in_socats_words(program, cases=tuple(SOCAT_WORDS)):
    return {case: f'{program} {SOCAT_WORDS[case]}' for case in cases}


def sockcat(name, program, threads_option, beside=False):
    """Ours, from a path; with `--threads` where it knows that."""
    commands = in_socats_words(program)
    if threads_option:
        commands['connections'] = f'{program} --threads {{threads}} {SOCAT_WORDS["connections"]}'
    return Peer(name, str(program), f'{program} --version', commands, beside=beside)


HAPROXY = '''
global
  nbthread {threads}
  maxconn {connections}
  tune.pipesize 1048576
  %s
defaults
  mode tcp
  %s
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen relay
  bind {listener}
  server target 127.0.0.1:{target}
'''

NGINX = '''
load_module {nginx_modules}/ngx_stream_module.so;
daemon off;
user {user};
worker_processes {threads};
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections {descriptors}; }}
stream {{
  server {{
    listen {nginx_listener};
    proxy_pass 127.0.0.1:{target};
    proxy_timeout 1h;
    tcp_nodelay on;
    %s
  }}
}}
'''

SERVERS = ('tcp-tcp', 'unix-tcp', 'connections', 'ping-pong', 'idle')
HAPROXY_COMMAND = 'haproxy -q -db -f {config}'
NGINX_COMMAND = 'nginx -e stderr -p {folder} -c {config}'

PEERS = [
    Peer('socat', 'socat', 'socat -V', in_socats_words('socat')),
    Peer('socat -b 256K', 'socat', '', in_socats_words('socat -b 262144', BULK)),
    Peer('HAProxy', 'haproxy', 'haproxy -v', dict.fromkeys(SERVERS, HAPROXY_COMMAND),
         HAPROXY % ('', 'option splice-auto')),
    # The fastest of what we tried: it always splices, and copies what it does not in large pieces.
    Peer('HAProxy tuned', 'haproxy', '', dict.fromkeys(('tcp-tcp', 'unix-tcp'), HAPROXY_COMMAND),
         HAPROXY % ('tune.bufsize 262144', 'option splice-request\n  option splice-response')),
    Peer('nginx', 'nginx', 'nginx -v', dict.fromkeys((*SERVERS, 'udp'), NGINX_COMMAND), NGINX % ''),
    Peer('nginx 256K', 'nginx', '', dict.fromkeys(('tcp-tcp', 'unix-tcp'), NGINX_COMMAND),
         NGINX % 'proxy_buffer_size 256k;'),
    # As it is, nginx closes both sides at the first end; so it passes each end on, as all others do.
    Peer('nginx half-close', 'nginx', '', {'connections': NGINX_COMMAND}, NGINX % 'proxy_half_close on;'),
    Peer('ncat', 'ncat', 'ncat --version', {
        'tcp-tcp': 'ncat -l --recv-only 127.0.0.1 {listen} | ncat --send-only 127.0.0.1 {target}',
        'unix-tcp': 'ncat -l --recv-only -U {path} | ncat --send-only 127.0.0.1 {target}',
        'pipe-tcp': 'ncat --send-only 127.0.0.1 {target}',
        'tcp-pipe': 'ncat -l --recv-only 127.0.0.1 {listen}',
        'file-tcp': 'ncat --send-only 127.0.0.1 {target}',
        'tcp-file': 'ncat -l --recv-only 127.0.0.1 {listen}',
    }),
    Peer('nc', 'nc', '', {
        'tcp-tcp': 'nc -d -l 127.0.0.1 {listen} | nc -N 127.0.0.1 {target}',
        'unix-tcp': 'nc -d -l -U {path} | nc -N 127.0.0.1 {target}',
        'pipe-tcp': 'nc -N 127.0.0.1 {target}',
        'tcp-pipe': 'nc -d -l 127.0.0.1 {listen}',
        'file-tcp': 'nc -N 127.0.0.1 {target}',
        'tcp-file': 'nc -d -l 127.0.0.1 {listen}',
    }),
    Peer('cat', 'cat', 'cat --version', {'pipe-pipe': 'cat'}),
    Peer('pv', 'pv', 'pv --version', {'pipe-pipe': 'pv -q'}),
    Peer('true', 'true', '', dict.fromkeys(('start-version', 'start-transfer'), 'true'), limit=True),
    Peer('direct', limit=True,
         commands=dict.fromkeys(('tcp-tcp', 'pipe-pipe', 'udp', 'connections', 'ping-pong', 'exec'), '')),
]

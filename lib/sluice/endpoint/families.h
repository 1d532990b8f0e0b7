#pragma once

#include <memory>

#include "sluice/endpoint/endpoint.h"

/// What each family's .cc offers to the table. The options of an address have been checked by then.
namespace sluice {

using MakeEndpoint = std::unique_ptr<Endpoint>(const Address& address, Use use, const Context& context);

MakeEndpoint make_standard;      // standard_streams.cc: STDIO, STDIN, STDOUT, STDERR, FD
MakeEndpoint make_file;          // file.cc: OPEN, CREATE
MakeEndpoint make_generic_open;  // generic_open.cc: GOPEN
MakeEndpoint make_pipe;          // pipe.cc: PIPE
MakeEndpoint make_tcp_connect;   // tcp.cc: TCP, SCTP, DCCP
MakeEndpoint make_tcp_listen;
MakeEndpoint make_unix_connect;  // unix.cc, with the ABSTRACT kind
MakeEndpoint make_unix_listen;
MakeEndpoint make_unix_client;
MakeEndpoint make_unix_datagram;    // unix_datagram.cc: SENDTO, RECV, RECVFROM
MakeEndpoint make_udp;              // udp.cc, with UDPLITE: CONNECT, SENDTO, DATAGRAM, RECV
MakeEndpoint make_udp_server;       // LISTEN, RECVFROM
MakeEndpoint make_generic_connect;  // generic_socket.cc: SOCKET-CONNECT
MakeEndpoint make_generic_listen;
MakeEndpoint make_generic_datagram;  // SENDTO, DATAGRAM, RECV, RECVFROM
MakeEndpoint make_vsock_connect;     // vsock.cc
MakeEndpoint make_vsock_listen;
MakeEndpoint make_ip;                 // ip.cc: SENDTO, DATAGRAM, RECV, RECVFROM
MakeEndpoint make_exec;               // exec.cc: EXEC, SYSTEM, SHELL
MakeEndpoint make_pty;                // pty.cc
MakeEndpoint make_socket_pair;        // socket_pair.cc
MakeEndpoint make_accept_fd;          // accept_fd.cc
MakeEndpoint make_socks;              // socks.cc: SOCKS4, SOCKS4A, SOCKS5-CONNECT, SOCKS5-LISTEN
MakeEndpoint make_proxy;              // proxy.cc
MakeEndpoint make_posix_queue;        // posix_queue.cc: POSIXMQ-BIDIRECTIONAL, READ, RECEIVE, SEND, WRITE
MakeEndpoint make_interface;          // interface.cc
MakeEndpoint make_tun;                // tun.cc
MakeEndpoint make_in_process_filter;  // in_process.cc: UPPER, COUNT-LINES
MakeEndpoint make_text;               // text.cc
MakeEndpoint make_stall;              // stall.cc
MakeEndpoint make_readline;           // readline.cc

}  // namespace sluice

#include "sluice/stream/message_stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::run;
using testing::sample_text;
using testing::socket_pair;

std::unique_ptr<MessageStream> stream_over(Loop& loop, Fd fd, bool sequenced = false, bool null_eof = false) {
  MessageStream::Parts parts;
  parts.socket = std::make_shared<Descriptor>(loop, std::move(fd));
  parts.sequenced = sequenced;
  if (sequenced) parts.finish = FinishBy::shutting_down;
  parts.null_eof = null_eof;
  return std::make_unique<MessageStream>(std::move(parts));
}

void send(const Fd& to, const std::vector<std::string>& messages) {
  for (const auto& message : messages)
    ASSERT_EQ(::send(to.get(), message.data(), message.size(), 0), static_cast<ssize_t>(message.size()));
}

/// Two UDP sockets on loopback, connected to each other.
std::pair<Fd, Fd> udp_pair(int family = AF_INET) {
  std::array<Fd, 2> ends;
  std::array<SocketName, 2> names;
  for (std::size_t i = 0; i < 2; ++i) {
    ends[i].reset(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* any = family == AF_INET6 ? reinterpret_cast<const sockaddr*>(&six)
                                         : reinterpret_cast<const sockaddr*>(&four);
    if (::bind(ends[i].get(), any, family == AF_INET6 ? sizeof six : sizeof four) != 0) return {};
    names[i] = SocketName::of_socket(ends[i].get());
  }
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(::connect(ends[i].get(), names[1 - i].data(), names[1 - i].size()), 0);
  return {std::move(ends[0]), std::move(ends[1])};
}

/// So many messages, or fewer if the stream ends.
Task<std::pair<std::vector<std::string>, End>> receive(Stream& from, std::size_t count) {
  std::vector<std::string> messages;
  Batch batch = Batch::of_messages();
  while (messages.size() < count) {
    const End end = co_await from.read_some(batch);
    for (const Message& message : batch.messages()) messages.emplace_back(as_text(message.data));
    batch.clear();
    if (end.kind != End::open) co_return std::pair(messages, end);
  }
  co_return std::pair(messages, End{});
}

const std::vector<std::string> edges = {
    "one", "", "three", sample_text(kib(64) - 1), "", "", sample_text(kib(100)), "x"};

TEST(MessageStream, KeepsEdgesAndEmptyMessages) {
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    Loop loop;
    auto [a, b] = socket_pair(type);
    send(b, edges);
    auto stream = stream_over(loop, std::move(a), type == SOCK_SEQPACKET);
    EXPECT_EQ(run(loop, receive(*stream, edges.size())).first, edges);
  }
}

TEST(MessageStream, PassesBatchesOnAsTheyCame) {
  for (const int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
    Loop loop;
    auto [a, b] = socket_pair(type);
    auto [c, d] = socket_pair(type);
    auto from = stream_over(loop, std::move(a), type == SOCK_SEQPACKET);
    auto to = stream_over(loop, std::move(c), type == SOCK_SEQPACKET);
    send(b, edges);
    const auto relay_one_way = [](Stream& in, Stream& out, std::size_t count) -> Task<> {
      Batch batch = Batch::of_messages();
      while (count > 0) {
        co_await in.read_some(batch);
        count -= batch.messages().size();
        co_await write_all(out, batch);
      }
    };
    run(loop, relay_one_way(*from, *to, edges.size()));
    for (const auto& expected : edges) {
      std::string got(mib(1), '\0');
      got.resize(static_cast<std::size_t>(::recv(d.get(), got.data(), got.size(), 0)));
      EXPECT_EQ(got, expected);
    }
  }
}

TEST(MessageStream, TellsTheEndOfASequenceFromAnEmptyPacket) {
  Loop loop;
  auto [a, b] = socket_pair(SOCK_SEQPACKET);
  auto stream = stream_over(loop, std::move(a), true);
  send(b, {"", "x", ""});
  EXPECT_EQ(run(loop, receive(*stream, 3)).first, (std::vector<std::string>{"", "x", ""}));
  // Packets that came before the end, empty ones too, are packets.
  const std::vector<std::string> last = {"last", "", "", "x", "", ""};
  send(b, last);
  b.reset();
  const auto [messages, end] = run(loop, receive(*stream, last.size() + 1));
  EXPECT_EQ(messages, last);
  EXPECT_EQ(end, End::finished);
}

// A local peer of packets hears of a reset before it hears of packets that wait for it.
TEST(MessageStream, LosesNothingOfItsOwnToWhatItLeavesUnread) {
  const std::vector<std::string> unread = {"one", "", "", "four", sample_text(kib(100)), ""};
  for (const FinishBy finish : {FinishBy::shutting_down, FinishBy::nothing}) {
    Loop loop;
    auto [a, b] = socket_pair(SOCK_SEQPACKET);
    MessageStream::Parts parts;
    parts.socket = std::make_shared<Descriptor>(loop, std::move(a));
    parts.sequenced = true;
    parts.finish = finish;
    MessageStream stream(std::move(parts));
    send(b, unread);
    run(loop, [](Stream& closing) -> Task<> {
      Batch answer = Batch::of_messages();
      const Bytes slot = answer.slot();
      std::ranges::copy(std::string_view("answer"), slot.begin());
      answer.add_message(slot.first(6));
      co_await write_all(closing, answer);
      co_await closing.close({});
    }(stream));
    std::array<char, 16> got{};
    EXPECT_EQ(::recv(b.get(), got.data(), got.size(), 0), 6) << ::strerror(errno);
    EXPECT_EQ(::recv(b.get(), got.data(), got.size(), 0), 0) << ::strerror(errno);
  }
}

TEST(MessageStream, TakesAnEmptyMessageForTheEndIfAskedTo) {
  Loop loop;
  auto [a, b] = socket_pair(SOCK_DGRAM);
  auto stream = stream_over(loop, std::move(a), false, true);
  EXPECT_TRUE(stream->info().traits.input_ends);
  send(b, {"one", "", "ignored"});
  const auto [messages, end] = run(loop, receive(*stream, 3));
  EXPECT_EQ(messages, std::vector<std::string>{"one"});
  EXPECT_EQ(end, End::finished);
}

TEST(MessageStream, FindsTheEmptyMessageAmongOthersThatCameAtOnce) {
  using Texts = std::vector<std::string>;
  for (const auto& before : {Texts{}, Texts{"one"}, Texts{"one", "two"}}) {
    Loop loop;
    auto [a, b] = udp_pair();
    auto stream = stream_over(loop, std::move(a), false, true);
    send(b, before);
    send(b, {"", "ignored"});
    const auto [messages, end] = run(loop, receive(*stream, before.size() + 1));
    EXPECT_EQ(messages, before);
    EXPECT_EQ(end, End::finished);
  }
}

TEST(MessageStream, MakesOneMessageOfAChunk) {
  Loop loop;
  auto [a, b] = socket_pair(SOCK_DGRAM);
  auto stream = stream_over(loop, std::move(a));
  run(loop, testing::write_text(*stream, sample_text(5000)));
  std::string got(mib(1), '\0');
  got.resize(static_cast<std::size_t>(::recv(b.get(), got.data(), got.size(), 0)));
  EXPECT_EQ(got, sample_text(5000));
}

TEST(MessageStream, NeverCutsAMessageReadAsBytes) {
  Loop loop;
  auto [a, b] = socket_pair(SOCK_DGRAM);
  auto stream = stream_over(loop, std::move(a));
  send(b, {sample_text(kib(100))});
  Batch small = Batch::of_bytes(16);
  const auto read_once = [](Stream& from, Batch& into) -> Task<End> {
    co_return co_await from.read_some(into);
  };
  EXPECT_EQ(run(loop, read_once(*stream, small)), End::open);
  EXPECT_EQ(as_text(small.data()), sample_text(kib(100)));
}

struct Ends {
  std::unique_ptr<MessageStream> from, to;
};

/// Two streams over UDP, which leave segments to the kernel or do not.
std::optional<Ends> udp_streams(Loop& loop, int family, bool sending, bool receiving) {
  auto [a, b] = udp_pair(family);
  if (!b) return {};
  MessageStream::Parts from, to;
  from.socket = std::make_shared<Descriptor>(loop, std::move(a));
  from.offloads = sending;
  to.socket = std::make_shared<Descriptor>(loop, std::move(b));
  to.offloads = receiving;
  return Ends{std::make_unique<MessageStream>(std::move(from)),
              std::make_unique<MessageStream>(std::move(to))};
}

/// Sends messages of these sizes in batches as large as they come, and returns what arrives.
std::vector<std::string> sent_through(Loop& loop, Ends& ends, const std::vector<std::size_t>& sizes) {
  const auto send_all = [](Stream& to, Batch& batch) -> Task<End> {
    co_return co_await write_all(to, batch);
  };
  std::vector<std::string> arrived;
  for (std::size_t next = 0; next < sizes.size();) {
    Batch batch = Batch::of_messages();
    // Each begins with its number, so that none can be taken for another.
    while (next < sizes.size()) {
      std::string text = std::to_string(next) + ' ' + sample_text(sizes[next]);
      text.resize(sizes[next]);
      if (!batch.pack(text)) break;
      ++next;
    }
    const std::size_t count = batch.messages().size();
    EXPECT_EQ(run(loop, send_all(*ends.from, batch)), End::open);
    for (auto& text : run(loop, receive(*ends.to, count)).first) arrived.push_back(std::move(text));
  }
  return arrived;
}

TEST(MessageStream, SendsRunsOfEqualSizesExactly) {
  using Sizes = std::vector<std::size_t>;
  const std::vector<Sizes> cases = {
      Sizes(1, 64),
      Sizes(2, 64),
      Sizes(64, 64),
      Sizes(65, 64),
      Sizes(130, 1),
      Sizes(64, 0),
      {64, 64, 64, 10},
      {64, 10, 64},
      {10, 64, 64},
      {64, 64, 10, 10, 64, 64},
      {64, 64, 0, 64, 64, 0},
      {0, 64, 0, 0, 1, 1},
      {1, 2, 3, 4, 5, 4, 3, 2, 1},
      Sizes(50, 1472),
      {65507},
      {40000, 40000},
      {32753, 32753},
      {32754, 32754},
      {32753, 32753, 1},
  };
  for (const int family : {AF_INET, AF_INET6})
    for (const bool sending : {false, true})
      for (const bool receiving : {false, true}) {
        Loop loop;
        auto ends = udp_streams(loop, family, sending, receiving);
        if (!ends) continue;  // no IPv6 here
        for (std::size_t number = 0; number < cases.size(); ++number) {
          const auto arrived = sent_through(loop, *ends, cases[number]);
          ASSERT_EQ(arrived.size(), cases[number].size());
          for (std::size_t i = 0; i < arrived.size(); ++i) {
            std::string text = std::to_string(i) + ' ' + sample_text(cases[number][i]);
            text.resize(cases[number][i]);
            EXPECT_EQ(arrived[i], text) << "message " << i << " of case " << number;
          }
        }
      }
}

TEST(MessageStream, SendsOneByOneWhereRunsAreRefused) {
  Loop loop;
  auto ends = udp_streams(loop, AF_INET, true, true);
  // Segments need checksums (udp(7)).
  const int on = 1;
  ASSERT_EQ(::setsockopt(ends->from->info().out, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  for (int again = 0; again < 2; ++again) {
    const auto arrived = sent_through(loop, *ends, {7, 50, 50, 50, 20, 0, 9});
    ASSERT_EQ(arrived.size(), 7U);
    EXPECT_TRUE(arrived[3].starts_with("3 ") && arrived[3].size() == 50);
    EXPECT_TRUE(arrived[4].starts_with("4 ") && arrived[4].size() == 20);
    EXPECT_EQ(arrived[5], "");
  }
}

TEST(MessageStream, LosesNothingToAnEarlierRefusal) {
  for (const bool offloads : {false, true}) {
    Loop loop;
    auto [a, b] = udp_pair();
    const SocketName name = SocketName::of_socket(b.get()), peer = SocketName::of_socket(a.get());
    MessageStream::Parts parts;
    parts.socket = std::make_shared<Descriptor>(loop, std::move(a));
    parts.offloads = offloads;
    MessageStream stream(std::move(parts));
    const auto write = [](Stream& to, Batch& from) -> Task<End> { co_return co_await write_all(to, from); };
    b.reset();
    Batch first = Batch::of_messages();
    first.pack(std::string_view("to nobody"));
    EXPECT_EQ(run(loop, write(stream, first)), End::open);
    // The answer is there before the call returns; now somebody listens again.
    Fd again(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(::bind(again.get(), name.data(), name.size()), 0);
    ASSERT_EQ(::connect(again.get(), peer.data(), peer.size()), 0);
    Batch second = Batch::of_messages();
    for (const char* text : {"aa", "bb", "cc", "d", "ee"}) second.pack(std::string_view(text));
    EXPECT_EQ(run(loop, write(stream, second)).why, std::errc::connection_refused);
    EXPECT_EQ(second.messages().size(), 5U) << "the refusal was of the first one only";
    EXPECT_EQ(run(loop, write(stream, second)), End::open);
    auto reader = stream_over(loop, std::move(again));
    EXPECT_EQ(run(loop, receive(*reader, 5)).first, (std::vector<std::string>{"aa", "bb", "cc", "d", "ee"}));
  }
}

std::shared_ptr<InboxMemory> memory_of(std::size_t most) {
  return std::make_shared<InboxMemory>(InboxMemory{most});
}

TEST(MessageStream, ReadsItsInboxFirstAndEndsWithIt) {
  Loop loop;
  auto [a, b] = socket_pair(SOCK_DGRAM);
  MessageStream::Parts parts;
  parts.socket = std::make_shared<Descriptor>(loop, std::move(a));
  parts.inbox = std::make_shared<Inbox>(loop, memory_of(mib(64)));
  ASSERT_EQ(parts.inbox->put(std::string_view("first")), Inbox::Put::done);
  ASSERT_EQ(parts.inbox->put(std::string_view()), Inbox::Put::done);
  parts.inbox->end();
  MessageStream stream(std::move(parts));
  EXPECT_TRUE(stream.info().traits.input_ends);
  send(b, {"not for it"});
  const auto [messages, end] = run(loop, receive(stream, 3));
  EXPECT_EQ(messages, (std::vector<std::string>{"first", ""}));
  EXPECT_EQ(end, End::finished);
}

TEST(Inbox, TakesSoManyAndNoMore) {
  for (const auto& [size, most] : {std::pair{std::size_t{1}, 64}, {kib(64), 16}, {mib(2), 1}}) {
    Loop loop;
    Inbox inbox(loop, memory_of(mib(64)));
    int taken = 0;
    while (inbox.put(sample_text(size)) == Inbox::Put::done) ++taken;
    EXPECT_EQ(taken, most) << size;
    EXPECT_EQ(inbox.put(sample_text(size)), Inbox::Put::inbox_full);
    Batch batch = Batch::of_messages(1);
    inbox.take(batch);
    EXPECT_EQ(inbox.put(sample_text(size)), Inbox::Put::done);
  }
}

TEST(Inbox, SharesItsMemoryWithOthers) {
  Loop loop;
  const auto memory = memory_of(kib(100));
  Inbox one(loop, memory);
  {
    Inbox other(loop, memory);
    EXPECT_EQ(one.put(sample_text(kib(60))), Inbox::Put::done);
    EXPECT_EQ(other.put(sample_text(kib(60))), Inbox::Put::memory_full);
    EXPECT_EQ(other.put(sample_text(kib(30))), Inbox::Put::done);
    EXPECT_GE(memory->used, kib(90));
  }
  EXPECT_LT(memory->used, kib(80)) << "what one held that has gone is free";
  Batch batch = Batch::of_messages(1);
  one.take(batch);
  EXPECT_EQ(memory->used, 0U);
  EXPECT_EQ(one.put(sample_text(kib(60))), Inbox::Put::done);
  one.forget();
  EXPECT_EQ(memory->used, 0U);
  EXPECT_TRUE(one.empty());
  EXPECT_TRUE(one.over());
}

}  // namespace
}  // namespace sluice

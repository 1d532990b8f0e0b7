#include <gtest/gtest.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opened.h"

namespace sluice {
namespace {

class PosixQueue : public testing::EndpointTest {
 protected:
  void SetUp() override {
    const mqd_t probe = ::mq_open(name_.c_str(), O_RDWR | O_CREAT, 0600, nullptr);
    if (probe < 0) GTEST_SKIP() << "no message queue for us: " << last_error().message();
    ::mq_close(probe);
    ::mq_unlink(name_.c_str());
  }
  ~PosixQueue() override { ::mq_unlink(name_.c_str()); }

  bool exists() const {
    const mqd_t queue = ::mq_open(name_.c_str(), O_RDONLY);
    if (queue >= 0) ::mq_close(queue);
    return queue >= 0;
  }
  std::string at(const std::string& keyword, const std::string& options = {}) const {
    return "POSIXMQ-" + keyword + ':' + name_ + options;
  }

  const std::string name_ = "/sluice-test-" + std::to_string(::getpid());
};

TEST_F(PosixQueue, KeepsMessagesWithTheirEdges) {
  auto writer = open(at("SEND"), Use::writing);
  for (const std::string text : {"one", "two", "three"}) write(*writer, text);
  auto reader = open(at("READ"), Use::reading);
  EXPECT_EQ(reader->info().traits.shape, Shape::messages);
  EXPECT_FALSE(reader->info().traits.input_ends);
  for (const std::string text : {"one", "two", "three"}) EXPECT_EQ(read_once(*reader), text);
  auto both = open(at("BIDIRECTIONAL"));
  write(*both, "to itself");
  EXPECT_EQ(read_once(*both), "to itself");
}

TEST_F(PosixQueue, ReceivesOneMessageAndEnds) {
  auto writer = open(at("WRITE"), Use::writing);
  write(*writer, "one");
  write(*writer, "two");
  auto first = open(at("RECEIVE"), Use::reading);
  EXPECT_TRUE(first->info().traits.input_ends);
  EXPECT_EQ(read(*first), "one");
  auto second = open(at("RECEIVE"), Use::reading);
  EXPECT_EQ(read(*second), "two");
}

TEST_F(PosixQueue, GivesEachMessageASessionOfItsOwn) {
  const auto receiver = endpoint(at("RECEIVE", ",fork"), Use::reading);
  EXPECT_TRUE(receiver->serves_many());
  run(loop_, receiver->prepare());
  EXPECT_EQ(receiver->names().at(0), "mq " + name_);
  auto writer = open(at("SEND"), Use::writing);
  write(*writer, "one");
  write(*writer, "two");
  auto first = open(*receiver), second = open(*receiver);
  EXPECT_EQ(read(*second), "two");
  EXPECT_EQ(read(*first), "one");
  const auto stop_later = [](Loop& on, Endpoint& what) -> Task<> {
    co_await on.yield();
    what.stop();
  };
  loop_.start(stop_later(loop_, *receiver));
  EXPECT_EQ(open(*receiver), nullptr);
}

TEST_F(PosixQueue, SendsByPriority) {
  auto low = open(at("SEND"), Use::writing);
  auto high = open(at("SEND", ",posixmq-priority=9"), Use::writing);
  write(*low, "low");
  write(*high, "high");
  auto reader = open(at("READ"), Use::reading);
  EXPECT_EQ(read_once(*reader), "high");
  EXPECT_EQ(read_once(*reader), "low");
}

TEST_F(PosixQueue, IsMadeAsItsOptionsSay) {
  auto writer = open(at("WRITE", ",posixmq-maxmsg=2,posixmq-msgsize=5,mode=0640"), Use::writing);
  mq_attr attributes{};
  ASSERT_EQ(::mq_getattr(writer->info().out, &attributes), 0);
  EXPECT_EQ(attributes.mq_maxmsg, 2);
  EXPECT_EQ(attributes.mq_msgsize, 5);
  // Bytes have no edges, so they fit in as many messages as it takes.
  write(*writer, "1234567");
  auto reader = open(at("READ"), Use::reading);
  EXPECT_EQ(read_once(*reader), "12345");
  EXPECT_EQ(read_once(*reader), "67");
  // A message is not cut.
  const auto write_message = [](Stream& to, std::string_view text) -> Task<End> {
    Batch batch = Batch::of_messages();
    batch.pack(text);
    co_return co_await write_all(to, batch);
  };
  const End end = run(loop_, write_message(*writer, "1234567"));
  EXPECT_EQ(end.why, std::errc::message_size);
  EXPECT_EQ(failure(at("WRITE", ",o-excl"), Use::writing),
            at("WRITE", ",o-excl") + ": open message queue " + name_ + ": File exists");
}

TEST_F(PosixQueue, WaitsForRoom) {
  auto writer = open(at("WRITE", ",posixmq-maxmsg=1"), Use::writing);
  auto reader = open(at("READ"), Use::reading);
  std::vector<std::string> got;
  const auto read_two = [](Stream& from, std::vector<std::string>& into) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      Batch batch = Batch::of_bytes(kib(64));
      co_await from.read_some(batch);
      into.emplace_back(as_text(batch.data()));
    }
  };
  write(*writer, "one");
  loop_.start(read_two(*reader, got));
  write(*writer, "two");
  write(*writer, "three");
  EXPECT_EQ(read_once(*reader), "three");
  EXPECT_EQ(got, (std::vector<std::string>{"one", "two"}));
}

TEST_F(PosixQueue, IsFlushedAndUnlinkedWhenAskedTo) {
  {
    auto writer = open(at("WRITE"), Use::writing);
    write(*writer, "old");
  }
  {
    auto writer = open(at("WRITE", ",posixmq-flush"), Use::writing);
    write(*writer, "new");
  }
  {
    auto reader = open(at("READ", ",unlink-close"), Use::reading);
    EXPECT_EQ(read_once(*reader), "new");
    EXPECT_TRUE(exists());
  }
  EXPECT_FALSE(exists());
  EXPECT_EQ(failure(at("READ", ",o-creat=0"), Use::reading),
            at("READ", ",o-creat=0") + ": open message queue " + name_ + ": No such file or directory");
  {
    auto writer = open(at("WRITE"), Use::writing);
    write(*writer, "old");
    auto fresh = open(at("BIDIRECTIONAL", ",unlink-early,unlink-late"));
    write(*fresh, "new");
    EXPECT_EQ(read_once(*fresh), "new");
  }
  EXPECT_FALSE(exists());
}

TEST_F(PosixQueue, BadAddressesFailBeforeAnythingIsOpened) {
  for (const auto* address : {"POSIXMQ:name", "POSIXMQ:/", "POSIXMQ:", "POSIXMQ:/a/b"})
    EXPECT_THROW(endpoint(address), AddressError) << address;
  EXPECT_THROW(endpoint(at("READ"), Use::writing), AddressError);
  EXPECT_THROW(endpoint(at("RECEIVE"), Use::writing), AddressError);
  EXPECT_THROW(endpoint(at("SEND"), Use::reading), AddressError);
}

TEST_F(PosixQueue, IsGivenItsModeAndOwnerBeforeItIsOpened) {
  const Fd queue(::mq_open(name_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600, nullptr));
  auto writer = open(at("SEND", ",perm-early=640"), Use::writing);
  struct stat status {};
  ASSERT_EQ(::fstat(queue.get(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give things away";
  writer = open(at("SEND", ",user-early=4711,group-early=4712"), Use::writing);
  ASSERT_EQ(::fstat(queue.get(), &status), 0);
  EXPECT_EQ(status.st_uid, 4711U);
  EXPECT_EQ(status.st_gid, 4712U);
}

TEST_F(PosixQueue, ThatIsMadeHasItsModeAndOwnerTooIfTheyAreToBeEarly) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give things away";
  auto writer = open(at("SEND", ",user-early=4711,perm-early=640"), Use::writing);
  struct stat status {};
  ASSERT_EQ(::fstat(writer->info().out, &status), 0);
  EXPECT_EQ(status.st_uid, 4711U);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(PosixQueue, TellsItsEndByAnEmptyMessageIfAskedTo) {
  auto writer = open(at("SEND", ",shut-null"), Use::writing);
  EXPECT_TRUE(writer->info().traits.can_finish);
  write(*writer, "last");
  finish(*writer);
  finish(*writer);
  auto reader = open(at("READ"), Use::reading);
  EXPECT_EQ(read_once(*reader), "last");
  EXPECT_EQ(read_once(*reader), "");
  mq_attr attributes{};
  ASSERT_EQ(::mq_getattr(writer->info().out, &attributes), 0);
  EXPECT_EQ(attributes.mq_curmsgs, 0) << "it is told once";
}

}  // namespace
}  // namespace sluice

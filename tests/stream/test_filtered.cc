#include "sluice/stream/filtered.h"

#include <gtest/gtest.h>

#include "on_loop.h"
#include "sluice/text/line_ends.h"
#include "sluice/text/lines.h"
#include "sluice/text/upper.h"

namespace sluice {
namespace {

using testing::pipe_ends;
using testing::pipe_stream;
using testing::read_all;
using testing::run;
using testing::sample_text;
using testing::write_text;

Task<> write_and_finish(Stream& to, std::string text) {
  co_await write_text(to, std::move(text));
  co_await to.finish();
}

TEST(Filtered, ChangesWhatIsReadAndWhatIsWritten) {
  Loop loop;
  auto [in, fill] = pipe_ends();
  auto [look, out] = pipe_ends();
  ASSERT_EQ(::write(fill.get(), "a\r\nb\r\n", 6), 6);
  fill.reset();
  auto stream = filtered(pipe_stream(loop, std::move(in), std::move(out)), std::make_unique<DropReturns>(),
                         std::make_unique<AddReturns>());
  EXPECT_EQ(run(loop, read_all(*stream)).first, "a\nb\n");
  run(loop, write_and_finish(*stream, "c\nd"));
  char text[16];
  const auto count = ::read(look.get(), text, sizeof text);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(count)), "c\r\nd");
}

TEST(Filtered, PutsOutAtTheEndWhatAFilterHeldBack) {
  Loop loop;
  auto [in, fill] = pipe_ends();
  ASSERT_EQ(::write(fill.get(), "1\n2\n3\n", 6), 6);
  fill.reset();
  auto stream =
      filtered(pipe_stream(loop, std::move(in), Fd()), std::make_unique<CountLinesFilter>(), nullptr);
  EXPECT_EQ(run(loop, read_all(*stream)).first, "3\n");
}

TEST(Answering, GivesBackWhatItsFilterMakesOfIt) {
  Loop loop;
  auto upper = answering(loop, upper_filter());
  loop.start(write_and_finish(*upper, "labi"));
  EXPECT_EQ(run(loop, read_all(*upper)).first, "LABI");
}

TEST(Answering, WithoutAFilterIsAnEcho) {
  Loop loop;
  auto echo = answering(loop, nullptr);
  loop.start(write_and_finish(*echo, sample_text(mib(1))));
  EXPECT_EQ(run(loop, read_all(*echo)).first, sample_text(mib(1)));
}

TEST(Answering, WaitsWhileNobodyReads) {
  Loop loop;
  auto echo = answering(loop, nullptr);
  std::size_t written = 0;
  const auto fill = [](Stream& to, std::size_t& count) -> Task<> {
    for (;;) {
      const End end = co_await write_text(to, sample_text(1000));
      if (end.kind != End::open) co_return;
      ++count;
    }
  };
  loop.start(fill(*echo, written));
  const auto let_it = [](Loop& on) -> Task<> {
    for (int i = 0; i < 1000; ++i) co_await on.yield();
  };
  run(loop, let_it(loop));
  EXPECT_GT(written, 60U);
  EXPECT_LT(written, 100U) << "bounded";
  echo->stop_writing();
  loop.run();
}

TEST(Answering, AnswersEachMessageByOne) {
  Loop loop;
  auto upper = answering(loop, upper_filter());
  const auto talk = [](Stream& with, std::vector<std::string>& answers) -> Task<> {
    Batch batch = Batch::of_messages();
    for (const std::string_view text : {"one", "", "three"}) {
      const Bytes slot = batch.slot();
      text.copy(slot.data(), text.size());
      batch.add_message(slot.first(text.size()));
    }
    co_await write_all(with, batch);
    co_await with.finish();
    for (;;) {
      const End end = co_await with.read_some(batch);
      if (end.kind != End::open) co_return;
      for (const Message& message : batch.messages()) answers.emplace_back(as_text(message.data));
      batch.clear();
    }
  };
  std::vector<std::string> answers;
  run(loop, talk(*upper, answers));
  EXPECT_EQ(answers, (std::vector<std::string>{"ONE", "", "THREE"}));
}

}  // namespace
}  // namespace sluice

#include "sluice/stream/message_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "on_loop.h"

namespace sluice {
namespace {

using testing::sample_text;

std::vector<std::string> texts_of(Batch& batch) {
  std::vector<std::string> texts;
  for (const Message& message : batch.messages()) texts.emplace_back(as_text(message.data));
  return texts;
}

TEST(MessageQueue, KeepsOrderEdgesAndEmptyMessages) {
  MessageQueue queue;
  for (const char* text : {"one", "", "three", ""}) queue.put(std::string_view(text));
  EXPECT_EQ(queue.size(), 4U);
  EXPECT_EQ(queue.bytes(), 8U);
  Batch batch = Batch::of_messages();
  queue.take(batch);
  EXPECT_EQ(texts_of(batch), (std::vector<std::string>{"one", "", "three", ""}));
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST(MessageQueue, GivesABatchAsManyAsItTakes) {
  struct Case {
    std::size_t slots;
    std::vector<std::size_t> sizes;
    std::size_t taken;
  };
  const std::vector<Case> cases = {
      {1, {3, 3}, 1},      {4, {0, 0, 0, 0, 0}, 4}, {64, std::vector<std::size_t>(100, 65507), 64},
      {2, {mib(1), 1}, 1}, {2, {1, mib(1)}, 1},
  };
  for (const auto& one : cases) {
    MessageQueue queue;
    for (const std::size_t size : one.sizes) queue.put(sample_text(size));
    Batch batch = Batch::of_messages(one.slots);
    queue.take(batch);
    EXPECT_EQ(batch.messages().size(), one.taken) << one.slots;
    for (std::size_t i = 0; i < batch.messages().size(); ++i)
      EXPECT_EQ(as_text(batch.messages()[i].data), sample_text(one.sizes[i]));
    EXPECT_EQ(queue.size(), one.sizes.size() - one.taken);
  }
}

TEST(MessageQueue, GivesOneMessageAsAChunkOfBytes) {
  MessageQueue queue;
  queue.put(sample_text(100));
  queue.put(std::string_view("x"));
  Batch batch = Batch::of_bytes(16);
  queue.take(batch);
  EXPECT_EQ(as_text(batch.data()), sample_text(100));
  EXPECT_EQ(queue.size(), 1U);
}

TEST(MessageQueue, GoesOnForEverWithoutRunningEmpty) {
  MessageQueue queue;
  std::size_t put = 0, taken = 0;
  for (; put < 10; ++put) queue.put(std::to_string(put));
  for (; taken < 100000; ++taken) {
    ASSERT_EQ(as_text(queue.front()), std::to_string(taken));
    queue.pop();
    queue.put(std::to_string(put++));
  }
  EXPECT_EQ(queue.size(), 10U);
}

}  // namespace
}  // namespace sluice

#include "sluice/stream/batch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace sluice {
namespace {

Bytes put(Bytes slot, std::string_view text) {
  text.copy(slot.data(), text.size());
  return slot.first(text.size());
}

TEST(Batch, OfBytesIsFilledAtTheBackAndConsumedFromTheFront) {
  Batch batch = Batch::of_bytes(8);
  EXPECT_TRUE(batch.empty());
  put(batch.room(), "abcdef");
  batch.added(6);
  EXPECT_EQ(batch.room().size(), 2U);
  batch.consume(2);
  EXPECT_EQ(as_text(batch.data()), "cdef");
  batch.consume(4);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.room().size(), 8U);
}

TEST(Batch, OfMessagesKeepsEdgesAndEmptyOnes) {
  Batch batch = Batch::of_messages(4);
  for (const char* text : {"one", "", "three"}) batch.add_message(put(batch.slot(), text));
  EXPECT_EQ(batch.slots(), 1U);
  ASSERT_EQ(batch.messages().size(), 3U);
  EXPECT_EQ(batch.size(), 8U);
  batch.pop_message();
  EXPECT_EQ(batch.messages().front().data.size(), 0U);
  EXPECT_FALSE(batch.empty());
  batch.pop_message();
  EXPECT_EQ(as_text(batch.messages().front().data), "three");
  batch.pop_message();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.slots(), 4U);
}

TEST(Batch, ConsumesBytesAcrossMessages) {
  Batch batch = Batch::of_messages(3);
  for (const char* text : {"one", "two"}) batch.add_message(put(batch.slot(), text));
  batch.consume(4);
  EXPECT_EQ(as_text(batch.messages().front().data), "wo");
  batch.consume(2);
  EXPECT_TRUE(batch.empty());
}

TEST(Batch, PacksMessagesCloseTogether) {
  Batch batch = Batch::of_messages(3);
  for (const char* text : {"one", "", "three"}) EXPECT_TRUE(batch.pack(std::string_view(text)));
  EXPECT_FALSE(batch.pack(std::string_view("one too many")));
  ASSERT_EQ(batch.messages().size(), 3U);
  EXPECT_EQ(batch.messages()[2].data.data(), batch.messages()[0].data.data() + 3);
  EXPECT_EQ(as_text(batch.messages()[2].data), "three");
  batch.clear();
  EXPECT_TRUE(batch.pack(std::string(mib(1), 'x')));
  EXPECT_EQ(batch.size(), mib(1));
}

TEST(Batch, KeepsTheFirstMessagesThatAreLeft) {
  Batch batch = Batch::of_messages(4);
  for (const char* text : {"one", "two", "three"}) batch.pack(std::string_view(text));
  batch.pop_message();
  batch.keep(1);
  ASSERT_EQ(batch.messages().size(), 1U);
  EXPECT_EQ(as_text(batch.messages().front().data), "two");
  batch.keep(0);
  EXPECT_TRUE(batch.empty());
}

TEST(Batch, HasRoomForOneMessageOfAnySize) {
  Batch batch = Batch::of_messages(1);
  for (const std::size_t size : {std::size_t{1}, kib(64), kib(64) + 1, mib(1)}) {
    const Bytes room = batch.large_slot(size);
    ASSERT_GE(room.size(), size);
    std::memset(room.data(), 'x', size);
    batch.add_message(room.first(size));
    EXPECT_EQ(batch.size(), size);
    batch.pop_message();
  }
}

}  // namespace
}  // namespace sluice

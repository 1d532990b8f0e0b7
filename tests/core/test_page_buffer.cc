#include "sluice/core/page_buffer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice {
namespace {

TEST(PageBuffer, BeginsOnAPageAndIsWhole) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4097}, kib(32), kib(256)}) {
    const PageBuffer buffer(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.bytes().data()) % 4096, 0U);
    EXPECT_EQ(buffer.bytes().size(), size);
    std::fill(buffer.bytes().begin(), buffer.bytes().end(), 'x');
  }
}

TEST(PageBuffer, TouchesNoPageBeforeItIsUsed) {
  const PageBuffer buffer(mib(4));
  const Bytes inside = buffer.bytes().subspan(4096);
  std::vector<unsigned char> resident(inside.size() / 4096);
  ASSERT_EQ(::mincore(inside.data(), inside.size(), resident.data()), 0);
  EXPECT_EQ(std::count_if(resident.begin(), resident.end(), [](unsigned char page) { return page & 1; }), 0);
}

}  // namespace
}  // namespace sluice

#include "sluice/stream/file_part.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "inputs.h"
#include "sluice/core/page_buffer.h"

namespace sluice {
namespace {

/// Bytes at their places, and holes between.
using Extents = std::vector<std::pair<off_t, std::string>>;

Fd sparse_file(const Extents& extents, off_t size) {
  Fd fd = memory_file();
  for (const auto& [place, bytes] : extents)
    EXPECT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), place), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(::ftruncate(fd.get(), size), 0);
  return fd;
}

class FileParts : public testing::Test {
 protected:
  PageBuffer buffer_{kib(256)};
};

TEST_F(FileParts, HaveTheSameCountForAnyNumberOfThreads) {
  const std::string text = text_of(mib(9) + 4321, 1);
  const Fd fd = memory_file(text);
  for (const off_t begin : {off_t{0}, off_t{1}, off_t{4095}, static_cast<off_t>(kib(256)) + 1})
    for (const unsigned threads : {1U, 2U, 3U, 16U, 64U})
      for (const char delimiter : {'\n', '\0'}) {
        const FilePart part{fd.get(), begin, static_cast<off_t>(text.size()) - 1, false, threads};
        ProgressCounts running;
        const auto counted = count_part(part, {.delimiter = delimiter}, buffer_.bytes(), running);
        const auto inside = std::string_view(text).substr(static_cast<std::size_t>(begin));
        EXPECT_EQ(counted, count_of(inside.substr(0, inside.size() - 1), delimiter))
            << begin << ' ' << threads;
        EXPECT_EQ(running.lines, counted);
        EXPECT_EQ(running.bytes, inside.size() - 1);
        EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), part.end);
      }
}

TEST_F(FileParts, KnowWhatIsInHolesWithoutReadingThem) {
  const std::string data = text_of(kib(300), 2);
  const auto far = static_cast<off_t>(mib(16));
  const auto data_size = static_cast<off_t>(data.size());
  struct Row {
    Extents data;
    off_t size;
  };
  for (const Row& row :
       {Row{{}, far}, Row{{{far, data}}, far + data_size}, Row{{{0, data}}, far},
        Row{{{0, data}, {far, data}}, far + data_size}, Row{{{far, data}, {2 * far, data}}, 4 * far + 1},
        Row{{{4096, "\n"}, {3 * 4096, "\n"}, {far - 1, "\n"}}, far + 1}}) {
    const Fd fd = sparse_file(row.data, row.size);
    std::string all(static_cast<std::size_t>(row.size), '\0');
    for (const auto& [place, bytes] : row.data)
      all.replace(static_cast<std::size_t>(place), bytes.size(), bytes);
    all.pop_back();
    for (const unsigned threads : {1U, 4U})
      for (const char delimiter : {'\n', '\0', 'x'}) {
        ::lseek(fd.get(), 0, SEEK_SET);
        auto part = part_ahead(fd.get(), threads);
        ASSERT_TRUE(part);
        EXPECT_TRUE(part->sparse);
        part->threads = threads;
        ProgressCounts running;
        EXPECT_EQ(count_part(*part, {.delimiter = delimiter}, buffer_.bytes(), running),
                  count_of(all, delimiter));
        EXPECT_EQ(running.bytes, all.size());
      }
  }
}

TEST_F(FileParts, AreThereOnlyWhereTheyAreWorthIt) {
  const auto ahead = [](int fd, unsigned threads) { return part_ahead(fd, threads).has_value(); };
  const Fd large = memory_file(text_of(mib(5)));
  EXPECT_TRUE(ahead(large.get(), 2));
  EXPECT_EQ(part_ahead(large.get(), 64)->threads, 2U) << "each has at least 2 MiB to do";
  EXPECT_FALSE(ahead(large.get(), 1)) << "reading on is as good";
  ::lseek(large.get(), static_cast<off_t>(mib(4)), SEEK_SET);
  EXPECT_FALSE(ahead(large.get(), 2)) << "little is left";
  ::lseek(large.get(), static_cast<off_t>(mib(9)), SEEK_SET);
  EXPECT_FALSE(ahead(large.get(), 2)) << "nothing is left";
  const PipeEnds pipe = make_pipe();
  for (const std::string path : {"/proc/self/status", "/dev/zero", "/"}) {
    const Fd other(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(ahead(other.get(), 2)) << path;
  }
  EXPECT_FALSE(ahead(pipe.reading.get(), 2));
  EXPECT_FALSE(ahead(-1, 2));
}

TEST_F(FileParts, OfFilesThatChangeAreNotTrusted) {
  const std::string text = text_of(mib(5), 4);
  for (const unsigned threads : {1U, 3U})
    for (const off_t size : {off_t{0}, off_t{12345}, static_cast<off_t>(text.size()) - 1}) {
      const Fd fd = memory_file(text);
      const FilePart part{fd.get(), 100, static_cast<off_t>(text.size()) - 1, false, threads};
      ASSERT_EQ(::ftruncate(fd.get(), size), 0);
      ProgressCounts running;
      EXPECT_FALSE(count_part(part, {}, buffer_.bytes(), running)) << size;
      EXPECT_EQ(::lseek(fd.get(), 0, SEEK_CUR), 100);
    }
  // What has grown is left to who reads on.
  const Fd fd = memory_file(text);
  const auto part = part_ahead(fd.get(), 2);
  ASSERT_TRUE(part);
  ASSERT_EQ(::pwrite(fd.get(), "more\n", 5, static_cast<off_t>(text.size())), 5);
  ProgressCounts running;
  EXPECT_EQ(count_part(*part, {}, buffer_.bytes(), running), count_of(text.substr(0, text.size() - 1), '\n'));
  char rest[16];
  EXPECT_EQ(::read(fd.get(), rest, sizeof rest), 6);
}

TEST_F(FileParts, ThatCannotBeReadAreLeftToWhoReadsOn) {
  const Fd file = memory_file(text_of(mib(5)));
  const Fd fd = reopened(file, O_WRONLY);
  ProgressCounts running;
  for (const unsigned threads : {1U, 2U})
    EXPECT_FALSE(
        count_part({fd.get(), 0, static_cast<off_t>(mib(4)), false, threads}, {}, buffer_.bytes(), running));
}

TEST_F(FileParts, AreLeftOnceThereIsEnough) {
  const std::string text(mib(16), '\n');
  const Fd fd = memory_file(text);
  for (const unsigned threads : {1U, 2U}) {
    ProgressCounts running;
    running.lines = 1000;
    const FilePart part{fd.get(), 0, static_cast<off_t>(text.size()) - 1, false, threads};
    const auto counted = count_part(part, {.most = 5000}, buffer_.bytes(), running);
    ASSERT_TRUE(counted);
    EXPECT_EQ(running.lines, 1000 + *counted);
    EXPECT_GT(running.lines, 5000U);
    EXPECT_LE(*counted, 2 * threads * kib(256));
  }
  // A hole full of delimiters is enough by itself.
  const Fd hole = sparse_file({}, static_cast<off_t>(mib(64)));
  ProgressCounts running;
  const auto part = part_ahead(hole.get(), 1);
  ASSERT_TRUE(part);
  EXPECT_GT(count_part(*part, {.delimiter = '\0', .most = 9}, buffer_.bytes(), running), 9U);
}

}  // namespace
}  // namespace sluice

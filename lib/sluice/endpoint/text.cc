#include <algorithm>

#include "sluice/endpoint/families.h"

namespace sluice {
namespace {

/// Delivers a text, then its end; what is written to it is dropped.
class TextStream final : public Stream {
 public:
  TextStream(Loop& loop, std::string text) : text_(std::move(text)), stopped_(loop) {}

  Task<End> read_some(Batch& into) override {
    if (stopped_reading_) co_return End{End::abandoned, {}};
    const ConstBytes left = ConstBytes(text_).subspan(read_);
    if (left.empty()) co_return End{End::finished, {}};
    const Bytes room = into.carries_messages() ? into.slot() : into.room();
    const auto part = left.first(std::min(left.size(), room.size()));
    std::copy(part.begin(), part.end(), room.begin());
    if (into.carries_messages())
      into.add_message(room.first(part.size()));
    else
      into.added(part.size());
    read_ += part.size();
    co_return End{};
  }

  Task<End> write_some(Batch& from) override {
    if (stopped_writing_) co_return End{End::abandoned, {}};
    if (from.carries_messages())
      from.pop_message();
    else
      from.consume(from.size());
    co_return End{};
  }

  Task<End> finish() override { co_return End{}; }
  Task<> closed() override {
    while (!stopped_writing_) co_await stopped_.wait();
  }
  Task<> discard_input() override { co_return; }
  void stop_reading() override { stopped_reading_ = true; }
  void stop_writing() override {
    stopped_writing_ = true;
    stopped_.notify();
  }
  Task<> close(const Limits&) override { co_return; }
  std::optional<std::uint64_t> size_left() const override { return text_.size() - read_; }
  const Info& info() const override { return info_; }

 private:
  std::string text_;
  std::size_t read_ = 0;
  Event stopped_;
  Info info_{.traits = {Shape::either, true, true}};
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

class Text final : public Endpoint {
 public:
  Text(const Address& address, const Context& context)
      : text_(address.parameters[0].text), loop_(context.loop) {}

  std::size_t descriptors() const override { return 0; }
  Task<std::unique_ptr<Stream>> open(Session&) override {
    co_return std::make_unique<TextStream>(loop_, text_);
  }

 private:
  std::string text_;
  Loop& loop_;
};

}  // namespace

std::unique_ptr<Endpoint> make_text(const Address& address, Use, const Context& context) {
  return std::make_unique<Text>(address, context);
}

}  // namespace sluice

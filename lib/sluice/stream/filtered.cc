#include "sluice/stream/filtered.h"

#include <algorithm>

#include "sluice/stream/decorator.h"
#include "sluice/stream/message_queue.h"

namespace sluice {
namespace {

class Filtered final : public Decorator {
 public:
  Filtered(std::unique_ptr<Stream> inner, std::unique_ptr<Filter> reading, std::unique_ptr<Filter> writing)
      : Decorator(std::move(inner)), reading_(std::move(reading)), writing_(std::move(writing)) {}

  Task<End> read_some(Batch& into) override {
    if (!reading_) co_return co_await inner().read_some(into);
    if (into.carries_messages()) co_return co_await read_messages(into);
    while (unread_.empty()) {
      if (read_end_.kind != End::open) co_return read_end_;
      Batch raw = Batch::of_bytes(into.room().size());
      read_end_ = co_await inner().read_some(raw);
      reading_->feed(raw.data(), unread_);
      // A message is a text of its own; its emptiness is passed on.
      if (inner().info().traits.shape == Shape::messages) {
        reading_->finish(unread_);
        if (read_end_.kind == End::open && unread_.empty()) co_return End{};
      }
      if (read_end_.kind == End::finished) reading_->finish(unread_);
    }
    const ConstBytes ready = unread_.data().subspan(read_from_);
    const auto part = ready.first(std::min(ready.size(), into.room().size()));
    std::copy(part.begin(), part.end(), into.room().begin());
    into.added(part.size());
    read_from_ += part.size();
    if (read_from_ == unread_.data().size()) {
      unread_.clear();
      read_from_ = 0;
    }
    co_return End{};
  }

  Task<End> write_some(Batch& from) override {
    if (!writing_) co_return co_await inner().write_some(from);
    Output out;
    Batch changed = from.carries_messages() ? Batch::of_messages(1) : Batch::of_bytes(0);
    if (from.carries_messages()) {
      writing_->feed(from.messages().front().data, out);
      writing_->finish(out);
      from.pop_message();
      changed.pack(out.data());
    } else {
      writing_->feed(from.data(), out);
      from.consume(from.size());
      if (inner().info().traits.shape == Shape::messages) writing_->finish(out);
      changed = batch_of(out.data());
    }
    co_return co_await write_all(inner(), changed);
  }

  Task<End> finish() override {
    if (writing_) {
      Output out;
      writing_->finish(out);
      Batch rest = batch_of(out.data());
      if (const End end = co_await write_all(inner(), rest); end.kind != End::open) co_return end;
    }
    co_return co_await inner().finish();
  }

  std::optional<std::uint64_t> size_left() const override {
    // A filter may grow or shrink what it reads.
    return reading_ ? std::nullopt : Decorator::size_left();
  }

 private:
  static Batch batch_of(ConstBytes bytes) {
    Batch batch = Batch::of_bytes(bytes.size());
    std::copy(bytes.begin(), bytes.end(), batch.room().begin());
    batch.added(bytes.size());
    return batch;
  }

  Task<End> read_messages(Batch& into) {
    Batch raw = Batch::of_messages(1);
    const End end = co_await inner().read_some(raw);
    if (raw.empty()) co_return end;
    Output out;
    reading_->feed(raw.messages().front().data, out);
    reading_->finish(out);
    into.pack(out.data());
    co_return end;
  }

  std::unique_ptr<Filter> reading_;
  std::unique_ptr<Filter> writing_;
  Output unread_;
  std::size_t read_from_ = 0;
  End read_end_;
};

class Answering final : public Stream {
 public:
  Answering(Loop& loop, std::unique_ptr<Filter> filter)
      : filter_(std::move(filter)), filled_(loop), drained_(loop), gone_(loop) {
    info_.traits = {Shape::either, true, true};
    info_.echoes = !filter_ || filter_->passes_on();
  }

  Task<End> read_some(Batch& into) override {
    while (!stopped_reading_) {
      if (take(into)) {
        drained_.notify();
        co_return End{};
      }
      if (finished_) co_return End{End::finished, {}};
      into.relax();
      co_await filled_.wait();
    }
    co_return End{End::abandoned, {}};
  }

  Task<End> write_some(Batch& from) override {
    while (!stopped_writing_) {
      if (finished_) co_return end_of(EPIPE);
      if (held() < most_held) {
        put(from);
        filled_.notify();
        co_return End{};
      }
      co_await drained_.wait();
    }
    co_return End{End::abandoned, {}};
  }

  Task<End> finish() override {
    if (finished_) co_return End{};
    finished_ = true;
    if (filter_ && !of_messages_) filter_->finish(bytes_);
    filled_.notify();
    co_return End{};
  }

  Task<> closed() override {
    while (!stopped_writing_) co_await gone_.wait();
  }
  Task<> discard_input() override {
    Batch scrap = Batch::of_bytes(kib(16));
    for (;;) {
      const End end = co_await read_some(scrap);
      if (end.kind != End::open) co_return;
      scrap.clear();
    }
  }
  void stop_reading() override {
    stopped_reading_ = true;
    filled_.notify();
  }
  void stop_writing() override {
    stopped_writing_ = true;
    drained_.notify();
    gone_.notify();
  }
  Task<> close(const Limits&) override { co_return; }
  const Info& info() const override { return info_; }

 private:
  static constexpr std::size_t most_held = kib(64);

  std::size_t held() const {
    // An empty message takes room too.
    return bytes_.data().size() - taken_ + messages_.bytes() + messages_.size() * 64;
  }

  void put(Batch& from) {
    Output answer;
    if (!from.carries_messages()) {
      feed(from.data(), bytes_);
      from.consume(from.size());
      return;
    }
    of_messages_ = true;
    feed(from.messages().front().data, answer);
    if (filter_) filter_->finish(answer);
    messages_.put(answer.data());
    from.pop_message();
  }

  void feed(ConstBytes in, Output& out) {
    if (filter_)
      filter_->feed(in, out);
    else
      out.append(in);
  }

  bool take(Batch& into) {
    if (!messages_.empty()) {
      messages_.take(into);
      return true;
    }
    const ConstBytes ready = bytes_.data().subspan(taken_);
    if (ready.empty()) return false;
    const Bytes room = into.carries_messages() ? into.slot() : into.room();
    const auto part = ready.first(std::min(ready.size(), room.size()));
    std::copy(part.begin(), part.end(), room.begin());
    if (into.carries_messages())
      into.add_message(room.first(part.size()));
    else
      into.added(part.size());
    taken_ += part.size();
    if (taken_ == bytes_.data().size()) {
      bytes_.clear();
      taken_ = 0;
    }
    return true;
  }

  std::unique_ptr<Filter> filter_;
  Info info_;
  Output bytes_;
  std::size_t taken_ = 0;
  MessageQueue messages_;
  bool of_messages_ = false;
  Event filled_;
  Event drained_;
  Event gone_;
  bool finished_ = false;
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

}  // namespace

std::unique_ptr<Stream> filtered(std::unique_ptr<Stream> inner, std::unique_ptr<Filter> reading,
                                 std::unique_ptr<Filter> writing) {
  return std::make_unique<Filtered>(std::move(inner), std::move(reading), std::move(writing));
}

std::unique_ptr<Stream> answering(Loop& loop, std::unique_ptr<Filter> filter) {
  return std::make_unique<Answering>(loop, std::move(filter));
}

}  // namespace sluice

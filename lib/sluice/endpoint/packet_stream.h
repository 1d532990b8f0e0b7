#pragma once

#include <functional>
#include <memory>

#include "sluice/stream/descriptor.h"
#include "sluice/stream/stream.h"

namespace sluice {

/// Messages of a descriptor that is no socket to recvmmsg(2): each is one call that the family knows. Edges
/// are kept exactly, and a message is never cut.
class PacketStream final : public Stream {
 public:
  struct Parts {
    std::shared_ptr<Descriptor> device;
    std::size_t largest = 0;  ///< no message is larger, and there is to be room for one of this size
    /// One try: how long the message is, or an errno. Where it is empty, nothing can be read or written.
    std::function<Attempt(int device, Bytes into)> receive = {};
    std::function<Attempt(int device, ConstBytes message)> send = {};
    bool single = false;    ///< one message, and then the input is over
    bool null_eof = false;  ///< an empty message is the end of input
    FinishBy finish = FinishBy::nothing;
    std::shared_ptr<void> companion = {};  ///< released with the stream
  };
  explicit PacketStream(Parts parts);

  Task<End> read_some(Batch& into) override;
  Task<End> write_some(Batch& from) override;
  Task<End> finish() override;
  Task<> closed() override;
  Task<> discard_input() override;
  void stop_reading() override;
  void stop_writing() override;
  Task<> close(const Limits& limits) override;
  Awaited awaited() override { return {parts_.device.get(), parts_.device.get()}; }
  const Info& info() const override { return info_; }

 private:
  Bytes room_for_one(Batch& into) const;
  Attempt send(Batch& from);

  Parts parts_;
  Info info_;
  Event gone_;
  bool input_over_ = false;
  bool finished_ = false;
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

}  // namespace sluice

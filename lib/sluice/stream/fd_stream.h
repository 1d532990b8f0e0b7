#pragma once

#include <memory>

#include "sluice/stream/stream.h"

namespace sluice {

/// Pipes, files, terminals, stream sockets: whatever read(2) and write(2) do. Input and output may be one
/// descriptor or two; either may be missing (reading then is at its end, writing is broken).
class FdStream final : public Stream {
 public:
  struct Parts {
    std::unique_ptr<Descriptor> in;  ///< both ways, if `both`
    std::unique_ptr<Descriptor> out;
    bool both = false;  ///< `in` is written to as well
    FinishBy finish = FinishBy::closing;
    Traits traits;
    bool awaits_writer =
        false;            ///< a FIFO that nobody may have opened for writing yet reads as if it had ended
    bool socket = false;  ///< unread input must be discarded before closing
    bool connection =
        false;             ///< both ways are one connection (see Traits); a socket used both ways always is
    bool answers = false;  ///< input comes of what is written, through pipes: it must not pile up unwanted
    bool echoes = false;   ///< what is written comes back as it is
    bool reset = false;    ///< closing resets the connection of a stream socket, once all was delivered
    bool only_close = false;  ///< closing tells and takes nothing: others hold the connection too (end-close)
    /// Also replaced by /dev/null at finish: the inherited descriptor that the output is a second door to.
    int inherited_out = -1;
    /// What log lines call the descriptors, where they are second doors; -1: their own numbers.
    int shown_in = -1;
    int shown_out = -1;
    std::string peer = {};  ///< see Info
    /// Released with the stream (a link to unlink, a lock to drop).
    std::shared_ptr<void> companion = {};
  };
  explicit FdStream(Parts parts);

  Task<End> read_some(Batch& into) override;
  Task<End> write_some(Batch& from) override;
  Task<End> finish() override;
  Task<> closed() override;
  Task<> discard_input() override;
  void stop_reading() override;
  void stop_writing() override;
  Task<> close(const Limits& limits) override;
  void break_off() override { broken_off_ = true; }
  std::optional<std::uint64_t> size_left() const override;
  Raw raw() override;
  Awaited awaited() override { return {parts_.in.get(), output_over_ ? nullptr : out()}; }
  const Info& info() const override { return info_; }

 private:
  Descriptor* out() { return parts_.both ? parts_.in.get() : parts_.out.get(); }
  bool is_own_socket() const;
  Task<> deliver_and_discard(const Limits& limits);
  bool leaves_direct(const Attempt& attempt, const Descriptor& descriptor) const;

  Parts parts_;
  Info info_;
  bool input_over_ = false;
  bool output_over_ = false;
  bool broken_off_ = false;
  bool stopped_reading_ = false;
  bool stopped_writing_ = false;
};

}  // namespace sluice

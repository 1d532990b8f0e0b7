#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/endpoint/bridge.h"
#include "sluice/endpoint/dump_file.h"
#include "sluice/endpoint/own_loop.h"

namespace sluice {

/// How many sessions there are on all loops together. Changed as each begins and ends, never while it flows.
struct Tally {
  std::atomic<std::size_t> open = 0;       ///< begun and not ended
  std::atomic<std::size_t> opening = 0;    ///< of these, those whose other side is not open yet
  std::atomic<std::size_t> relaying = 0;   ///< of these, those that have both
  std::atomic<std::uint64_t> relayed = 0;  ///< ever
  std::atomic<bool> dump_failed = false;   ///< what flowed could not be written to a file of -r or -R
  /// Of the first one, when both its sides were open; only where progress is shown.
  std::atomic<Clock::time_point> first_begun = Clock::time_point();
  std::atomic<bool> share_terminal =
      false;  ///< a side's bytes are on the terminal where progress would stand
};

/// What sessions have moved, and how old those are that still run.
struct Totals {
  Flow there, back;
  Duration oldest{};
  Duration longest_silence{};

  void add(const Totals& other);
};

/// What the log says of them (SIGUSR1, --statistics).
std::vector<std::string> statistics_lines(const Totals& totals, const Tally& tally, bool as_socat);

/// The sessions of one loop, from the peer's coming to the end of the relay. All calls are made on its loop,
/// but for the constructor and the destructor, which need the loop to stand still.
class Sessions {
 public:
  /// `ended` is called after each session's end.
  Sessions(const BridgePlan& plan, Logger& log, Tally& tally, std::function<void()> ended);
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  Loop& loop() { return loop_; }
  const Context& context() const { return context_; }
  /// An endpoint of the left or the right address, on this loop.
  std::unique_ptr<Endpoint> make(bool left) const;

  using Place = std::list<Session>::iterator;
  Place begin(std::uint64_t id, bool alone);
  void end(Place place);

  /// Opens the endpoint that all peers' other sides are to be streams of, and keeps it; it must outlive them.
  /// `usual` is as in Endpoint::opens_once. Throws Failure if it cannot be had.
  Task<> keep(Endpoint& other, bool usual);
  /// Closes it in good order, within the grace of a session.
  Task<> let_go();

  /// Relays between two addresses.
  Task<> join(Endpoint& left, Endpoint& right, Session& session);
  /// Starts serving a peer of the left or the right address; its other side is opened for it alone. Who calls
  /// has counted it as open and opening, since this may be another thread's.
  void serve(std::unique_ptr<Stream> peer, Place place, bool from_left);
  /// The same for a peer that was accepted on another loop.
  void serve(Arrival arrival, std::uint64_t id, bool from_left);

  /// From now on every session, and every one to come, ends in good order within its grace.
  void drain();
  /// Sends a signal to the programs that asked for it; says whether there was one.
  bool pass_on(int signal) const;
  Totals totals() const;
  /// A notice for each session.
  void describe() const;

 private:
  std::unique_ptr<Endpoint> make(bool left, const Context& context) const;
  /// One that serves one session, and says whose lines it writes.
  std::unique_ptr<Endpoint> make_for(Session& session, bool left) const;
  Task<> serve_peer(std::unique_ptr<Stream> peer, Place place, bool from_left);
  /// Nothing where a process of its own has taken the peer over, or a program its descriptors.
  Task<std::unique_ptr<Stream>> open_other(std::unique_ptr<Stream>& peer, Session& session, bool from_left);
  bool runs_apart(const Endpoint& other, bool from_left);
  Task<std::unique_ptr<Stream>> open_or_hand_over(Endpoint& right, Stream& left, Session& session);
  /// The files of one session's own, where it has any.
  struct DumpFiles {
    std::optional<DumpFile> own_left, own_right;
  };
  DumpFiles dumps_of(const Session& session);
  Task<> converse(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session,
                  DumpFiles raw);
  /// Of a session that cannot be: its peer sees no good end.
  static Task<> dismiss(Stream& peer, Session& session);
  static Task<> close_both(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session);
  Dumps dumps(const DumpFile& raw_left, const DumpFile& raw_right) const;
  void describe_descriptors(const Info& left, const Info& right) const;
  void tell_progress(const Stream& left, const Stream& right, Session& session);
  std::unique_ptr<Stream> watched(std::unique_ptr<Stream> left, Session& session, const DumpFile& raw_left,
                                  const DumpFile& raw_right);
  Task<> converse_once_dumped(std::unique_ptr<Stream> left, std::unique_ptr<Stream> right, Session& session,
                              DumpFiles raw);

  const BridgePlan& plan_;
  Logger& log_;
  Logger child_log_;  ///< what sessions of an address that serves many say
  Tally& tally_;
  std::function<void()> ended_;
  Totals past_;
  bool draining_ = false;
  DumpFile raw_left_;
  DumpFile raw_right_;
  /// Tasks on the loop speak of what stands above it; what stands below holds descriptors on the loop.
  std::list<Session> running_;
  Loop loop_;
  Context context_;
  Context child_context_;
  /// Makes streams of peers that others accept.
  std::unique_ptr<Endpoint> adopting_;
  Endpoint* kept_ = nullptr;
  std::optional<Session> keeping_;  ///< what the kept one is opened for
  std::optional<bool> runs_apart_;  ///< once it was asked for
  /// Endpoints that may still have a task at work.
  std::vector<std::unique_ptr<Endpoint>> retired_;
};

}  // namespace sluice

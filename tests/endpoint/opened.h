#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "../stream/on_loop.h"
#include "sluice/address/address.h"
#include "sluice/endpoint/endpoint.h"

namespace sluice::testing {

/// A loop, a log kept in a file, and a session: what an endpoint needs to be opened.
class EndpointTest : public ::testing::Test {
 protected:
  EndpointTest() { ::signal(SIGPIPE, SIG_IGN); }
  ~EndpointTest() override { std::filesystem::remove_all(folder_); }

  static LogSettings quiet() {
    LogSettings settings;
    settings.least = Severity::fatal;
    return settings;
  }

  std::unique_ptr<Endpoint> endpoint(const std::string& address, Use use = Use::both) {
    return make_endpoint(parse_specification(address), use, context_);
  }
  std::unique_ptr<Stream> open(Endpoint& from) { return run(loop_, from.open(session_)); }
  std::unique_ptr<Stream> open(const std::string& address, Use use = Use::both) {
    const auto one = endpoint(address, use);
    return open(*one);
  }
  /// What opening it fails with.
  std::string failure(const std::string& address, Use use = Use::both) {
    try {
      open(address, use);
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "it opened";
  }

  template <class Result>
  static Result run(Loop& loop, Task<Result> task) {
    return testing::run(loop, std::move(task));
  }

  std::string folder() const { return folder_; }
  std::string path(const std::string& name) const { return folder_ + '/' + name; }

  void write(Stream& to, const std::string& text) { EXPECT_EQ(run(loop_, write_text(to, text)), End::open); }
  std::string read(Stream& from) { return run(loop_, read_all(from)).first; }
  /// One read's worth.
  std::string read_once(Stream& from) {
    Batch batch = Batch::of_bytes(kib(64));
    const auto once = [](Stream& stream, Batch& into) -> Task<End> {
      co_return co_await stream.read_some(into);
    };
    run(loop_, once(from, batch));
    return std::string(as_text(batch.data()));
  }
  void finish(Stream& stream) { run(loop_, stream.finish()); }
  void close(Stream& stream) { run(loop_, stream.close(limits_)); }

  /// Lets all that goes on by itself do so.
  void settle() {
    constexpr int turns = 10;
    const auto take_turns = [](Loop& loop) -> Task<> {
      for (int turn = 0; turn < turns; ++turn) co_await loop.yield();
    };
    run(loop_, take_turns(loop_));
  }

  /// Opens what listens and what connects to it, both at once. `%` in the client's address is what the
  /// server is bound to, without its port's neighbours: a port, or a path.
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> meet(const std::string& server,
                                                                   std::string client) {
    const auto listener = endpoint(server);
    run(loop_, listener->prepare());
    replace(client, bound(*listener));
    std::unique_ptr<Stream> accepted;
    const auto keep = [](Endpoint& from, Session& session, std::unique_ptr<Stream>& into) -> Task<> {
      into = co_await from.open(session);
    };
    loop_.start(keep(*listener, session_, accepted));
    auto connected = open(client);
    loop_.run();
    return {std::move(accepted), std::move(connected)};
  }
  /// The port, or the path, of the first name.
  static std::string bound(const Endpoint& of) {
    const std::string name = of.names().at(0);
    return name.starts_with("unix ") ? name.substr(name[5] == '@' ? 6 : 5) : name.substr(name.rfind(':') + 1);
  }
  static void replace(std::string& text, const std::string& by) {
    const auto at = text.find('%');
    if (at != text.npos) text.replace(at, 1, by);
  }

  Loop loop_;
  Logger log_{quiet()};
  Limits limits_;
  Context context_{loop_, log_};
  Session session_{loop_, log_, limits_};

 private:
  static std::string make_folder() {
    char name[] = "/tmp/sluice-endpoint-XXXXXX";
    return ::mkdtemp(name);
  }
  std::string folder_ = make_folder();
};

}  // namespace sluice::testing

#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "sluice/core/fd.h"

namespace sluice {

/// Where other threads leave work for a loop. It may outlive the loop; what comes then is dropped.
class Mailbox {
 public:
  /// Throws Failure for want of descriptors.
  Mailbox();

  /// Has `work()` called on the loop. From any thread.
  template <class Work>
  void put(Work work) {
    add(std::make_unique<LetterOf<Work>>(std::move(work)));
  }

  // For the loop.
  int bell() const { return bell_.get(); }
  void open_all();
  void close();

 private:
  struct Letter {
    virtual ~Letter() = default;
    virtual void open() = 0;
  };
  template <class Work>
  struct LetterOf final : Letter {
    explicit LetterOf(Work does) : work(std::move(does)) {}
    void open() override { work(); }
    Work work;
  };
  void add(std::unique_ptr<Letter> letter);
  std::vector<std::unique_ptr<Letter>> take();

  Fd bell_;  ///< eventfd(2): readable while there are letters
  std::mutex mutex_;
  std::vector<std::unique_ptr<Letter>> letters_;
  bool closed_ = false;
};

}  // namespace sluice

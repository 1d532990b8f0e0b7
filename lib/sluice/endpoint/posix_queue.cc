#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/packet_stream.h"
#include "sluice/endpoint/socket.h"

namespace sluice {
namespace {

/// On Linux a queue's descriptor is a file descriptor, close-on-exec from birth (mq_overview(7)).
static_assert(std::is_same_v<mqd_t, int>);

Attempt receive_message(int queue, Bytes into) {
  const ssize_t count = ::mq_receive(queue, into.data(), into.size(), nullptr);
  return {count, count < 0 ? errno : 0};
}

/// What a queue is made with where no option says (mq_overview(7), /proc).
long system_default(const char* name) {
  const Fd file(::open((std::string("/proc/sys/fs/mqueue/") + name).c_str(), O_RDONLY | O_CLOEXEC));
  char text[32];
  const auto got = uninterrupted([&] { return ::read(file.get(), text, sizeof text); });
  long number = 0;
  if (got.count > 0) std::from_chars(text, text + got.count, number);
  return number;
}

class PosixQueue final : public Endpoint {
 public:
  PosixQueue(const Address& address, const Context& context, int access)
      : address_(address),
        context_(context),
        name_(address.parameters[0].text),
        access_(access),
        single_(address.keyword->name.ends_with("RECEIVE")),
        forks_(address.flag("fork")) {}

  Task<> prepare() override {
    if (opened_before_) co_return;
    opened_before_ = true;
    if (address_.flag("unlink-early") || address_.flag("unlink")) ::mq_unlink(name_.c_str());
    if (const Fd queue{::mq_open(name_.c_str(), O_RDONLY | O_NONBLOCK)}; queue) prepare_queue(queue.get());
    queue_ = open_queue();
    if (address_.flag("unlink-late")) ::mq_unlink(name_.c_str());
    if (address_.flag("unlink-close"))
      unlinks_ = std::shared_ptr<void>(nullptr, [name = name_](void*) { ::mq_unlink(name.c_str()); });
  }
  std::vector<std::string> names() const override {
    if (!opened_before_) return {};
    return {"mq " + name_};
  }
  bool serves_many() const override { return forks_; }
  /// Sessions of one message each share the queue.
  std::size_t descriptors() const override { return single_ && forks_ ? 0 : 1; }
  void stop() override {
    stopped_ = true;
    if (queue_) queue_->wake(Descriptor::readable);
  }

  Task<std::unique_ptr<Stream>> open(Session&) override {
    co_await prepare();
    if (stopped_) co_return nullptr;
    if (single_ && forks_) {
      auto one = co_await next_message();
      co_return one;
    }
    if (!queue_) {
      co_await context_.loop.sleep(address_.duration("interval").value_or(std::chrono::seconds(1)));
      if (stopped_) co_return nullptr;
      queue_ = open_queue();
    }
    co_return stream_over(std::move(queue_), reading());
  }

 private:
  using Receive = std::function<Attempt(int, Bytes)>;

  Receive reading() const {
    if (access_ == O_WRONLY) return {};
    return receive_message;
  }

  std::shared_ptr<Descriptor> open_queue() {
    mq_attr wanted{};
    const auto most = address_.integer("posixmq-maxmsg");
    const auto largest = address_.integer("posixmq-msgsize");
    wanted.mq_maxmsg = most ? static_cast<long>(*most) : system_default("msg_default");
    wanted.mq_msgsize = largest ? static_cast<long>(*largest) : system_default("msgsize_default");
    const ProcessSection section(address_);
    context_.log.notice("opening POSIX message queue \"" + name_ + '"');
    Fd fd(check(std::string(address_.written()) + ": open message queue " + name_,
                ::mq_open(name_.c_str(), open_flags(address_, access_ | O_CREAT) | O_NONBLOCK,
                          wanted_mode(address_).value_or(0666), most || largest ? &wanted : nullptr)));
    // Those of before count for one that was made just now.
    apply(address_, {Phase::preopen, Phase::fd, Phase::late}, fd.get(), context_);
    mq_attr attributes{};
    check(std::string(address_.written()) + ": ask message queue " + name_,
          ::mq_getattr(fd.get(), &attributes));
    largest_ = static_cast<std::size_t>(attributes.mq_msgsize);
    return std::make_shared<Descriptor>(context_.loop, std::move(fd));
  }

  /// What is done to a queue that is there before it is opened: perm-early, user-early, group-early; and
  /// posixmq-flush takes out what is in it.
  void prepare_queue(int queue) {
    apply(address_, {Phase::preopen}, queue, context_);
    mq_attr attributes{};
    if (!address_.flag("posixmq-flush") || ::mq_getattr(queue, &attributes) != 0) return;
    std::string message(static_cast<std::size_t>(attributes.mq_msgsize), '\0');
    while (::mq_receive(queue, message.data(), message.size(), nullptr) >= 0) {
    }
  }

  /// With fork, each message is a session's input. It is taken out before the session begins, so that the
  /// next one does not take it too.
  Task<std::unique_ptr<Stream>> next_message() {
    std::string message(largest_, '\0');
    while (!stopped_) {
      const Attempt got = receive_message(queue_->number(), message);
      if (got.count >= 0) {
        message.resize(static_cast<std::size_t>(got.count));
        context_.log.notice("received message from \"" + name_ + '"');
        co_return stream_over(queue_, [message = std::move(message)](int, Bytes into) -> Attempt {
          message.copy(into.data(), message.size());
          return {static_cast<ssize_t>(message.size()), 0};
        });
      }
      if (got.error == EINTR) continue;
      if (!got.would_block())
        throw Failure(std::string(address_.written()) + ": receive",
                      std::error_code(got.error, std::generic_category()));
      co_await queue_->wait(Descriptor::readable);
    }
    co_return nullptr;
  }

  std::unique_ptr<Stream> stream_over(std::shared_ptr<Descriptor> queue, Receive receive) {
    PacketStream::Parts parts;
    parts.device = std::move(queue);
    parts.largest = largest_;
    parts.receive = std::move(receive);
    parts.single = single_;
    parts.null_eof = address_.flag("null-eof");
    parts.finish = finish_by(address_, FinishBy::nothing);
    parts.companion = unlinks_;
    if (access_ != O_RDONLY)
      parts.send = [priority = static_cast<unsigned>(address_.integer("posixmq-priority").value_or(0))](
                       int to, ConstBytes message) -> Attempt {
        const int sent = ::mq_send(to, message.data(), message.size(), priority);
        return {sent, sent < 0 ? errno : 0};
      };
    return std::make_unique<PacketStream>(std::move(parts));
  }

  Address address_;
  Context context_;
  std::string name_;
  int access_;
  bool single_;
  bool forks_;
  std::shared_ptr<Descriptor> queue_;
  std::shared_ptr<void> unlinks_;
  std::size_t largest_ = 0;
  bool opened_before_ = false;
  bool stopped_ = false;
};

int access_of(std::string_view keyword) {
  if (keyword.ends_with("READ") || keyword.ends_with("RECEIVE")) return O_RDONLY;
  if (keyword.ends_with("SEND") || keyword.ends_with("WRITE")) return O_WRONLY;
  return O_RDWR;
}

}  // namespace

std::unique_ptr<Endpoint> make_posix_queue(const Address& address, Use use, const Context& context) {
  const std::string_view keyword = address.keyword->name;
  int access = access_of(keyword);
  if (use == Use::writing && access == O_RDONLY)
    throw AddressError(address, address.place, std::string(keyword) + " cannot be written to");
  if (use == Use::reading && access == O_WRONLY)
    throw AddressError(address, address.place, std::string(keyword) + " cannot be read from");
  if (access == O_RDWR && use == Use::reading) access = O_RDONLY;
  if (access == O_RDWR && use == Use::writing) access = O_WRONLY;
  const Parameter& name = address.parameters[0];
  if (name.text.size() < 2 || name.text[0] != '/' || name.text.find('/', 1) != std::string::npos)
    throw AddressError(address, name.place,
                       "the name of a message queue begins with a slash and has no other");
  return std::make_unique<PosixQueue>(address, context, access);
}

}  // namespace sluice

#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <regex.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>

#include "sluice/core/new_file.h"
#include "sluice/endpoint/apply.h"
#include "sluice/endpoint/families.h"
#include "sluice/endpoint/socket.h"
#include "sluice/endpoint/standard_streams.h"
#include "sluice/endpoint/terminal.h"
#include "sluice/stream/background.h"
#include "sluice/stream/decorator.h"
#include "sluice/stream/fd_stream.h"

namespace sluice {
namespace {

constexpr const char* library_name = "libedit.so.2";
/// Of output that is no line yet, so much may be a prompt.
constexpr std::size_t longest_prompt = 1024;

/// What we use of libedit (editline(7), readline's interface). It is loaded when it is needed: few sessions
/// are typed in.
class Editor {
 public:
  explicit Editor(const Address& address) {
    void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
      throw Failure(std::string(address.written()) + ": needs the library " + library_name +
                    " (Debian's package libedit2): " + ::dlerror());
    readline_ = reinterpret_cast<char* (*)(const char*)>(symbol(address, library, "readline"));
    add_history_ = reinterpret_cast<int (*)(const char*)>(symbol(address, library, "add_history"));
    const auto initialize = reinterpret_cast<int (*)()>(symbol(address, library, "rl_initialize"));
    *reinterpret_cast<const char**>(symbol(address, library, "rl_readline_name")) = "sockcat";
    // Signals are the bridge's.
    *reinterpret_cast<int*>(symbol(address, library, "rl_catch_signals")) = 0;
    initialize();
  }

  /// Nothing at the end of input.
  std::optional<std::string> read_line(const std::string& prompt) const {
    const std::unique_ptr<char, void (*)(void*)> line(readline_(prompt.c_str()), std::free);
    if (!line) return std::nullopt;
    return std::string(line.get());
  }
  void remember(const std::string& line) const { add_history_(line.c_str()); }

 private:
  static void* symbol(const Address& address, void* library, const char* name) {
    void* const found = ::dlsym(library, name);
    if (found == nullptr)
      throw Failure(std::string(address.written()) + ": " + library_name + " has no " + name);
    return found;
  }

  char* (*readline_)(const char*);
  int (*add_history_)(const char*);
};

/// A pattern of regex(7).
class Pattern {
 public:
  Pattern(const Address& address, const Option& option) {
    const int error = ::regcomp(&pattern_, option.text.c_str(), REG_EXTENDED | REG_NOSUB);
    if (error == 0) return;
    char why[256];
    ::regerror(error, &pattern_, why, sizeof why);
    throw AddressError(address, option.place, "option \"noecho\": " + std::string(why));
  }
  ~Pattern() { ::regfree(&pattern_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool matches(const std::string& text) const {
    return ::regexec(&pattern_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t pattern_{};
};

/// The last line of output while it has no end: what whoever types sees as a prompt. Two threads use it.
class Unfinished {
 public:
  void add(ConstBytes output) {
    const std::lock_guard lock(mutex_);
    const auto text = as_text(output);
    const auto newline = text.rfind('\n');
    if (newline != text.npos) line_.clear();
    line_ += newline == text.npos ? text : text.substr(newline + 1);
    if (line_.size() > longest_prompt) line_.erase(0, line_.size() - longest_prompt);
  }
  void set(std::string line) {
    const std::lock_guard lock(mutex_);
    line_ = std::move(line);
  }
  std::string line() const {
    const std::lock_guard lock(mutex_);
    return line_;
  }

 private:
  mutable std::mutex mutex_;
  std::string line_;
};

/// Lines as they are typed, on a thread, since the library waits for them; they go into a pipe.
class Typing {
 public:
  Typing(const Address& address, std::shared_ptr<Unfinished> unfinished)
      : editor_(address), unfinished_(std::move(unfinished)), fixed_prompt_(address.text("prompt")) {
    if (const Option* option = address.find("noecho")) hidden_.emplace(address, *option);
    shows_prompt_ = !address.flag("noprompt");
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) == 0 && settings.c_cc[VEOF] != _POSIX_VDISABLE)
      end_of_file_ = static_cast<char>(settings.c_cc[VEOF]);
    if (const auto file = path_option(address, "history-file")) load_history(address, *file);
  }
  Typing(const Typing&) = delete;
  Typing& operator=(const Typing&) = delete;

  void run(const Fd& lines) const {
    // What is typed is of the user's own character set. This thread may outlive all that could free it.
    static const locale_t own = ::newlocale(LC_CTYPE_MASK, "", nullptr);
    if (own != nullptr) ::uselocale(own);
    // A prompt is complete when somebody begins to type.
    while (wait_for_typing()) {
      const std::string shown = unfinished_->line();
      const bool hidden = hidden_ && hidden_->matches(shown);
      const auto line = hidden ? read_hidden() : read_shown(shown);
      if (!line) return;
      unfinished_->set({});
      if (!hidden && !line->empty()) remember(*line);
      if (!write_all(lines.get(), *line + '\n')) return;
    }
  }

 private:
  static bool wait_for_typing() {
    pollfd state{STDIN_FILENO, POLLIN, 0};
    while (::poll(&state, 1, -1) < 0)
      if (errno != EINTR) return false;
    return (state.revents & POLLIN) != 0;
  }

  std::optional<std::string> read_shown(const std::string& shown) const {
    const std::string prompt = fixed_prompt_ ? *fixed_prompt_ : shows_prompt_ ? shown : std::string();
    // The editor writes the prompt again, over what stands there.
    if (!prompt.empty()) write_all(STDOUT_FILENO, "\r");
    return editor_.read_line(prompt);
  }

  /// As the terminal would, without echo.
  std::optional<std::string> read_hidden() const {
    termios settings{};
    ::tcgetattr(STDIN_FILENO, &settings);
    const auto is = [&](char c, int which) {
      const cc_t meaning = settings.c_cc[which];
      return meaning != _POSIX_VDISABLE && static_cast<cc_t>(c) == meaning;
    };
    std::string line;
    for (char c = 0;;) {
      const ssize_t count = ::read(STDIN_FILENO, &c, 1);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0 || (c == end_of_file_ && line.empty())) return std::nullopt;
      if (c == '\n' || c == '\r') break;
      if (is(c, VKILL))
        line.clear();
      else if (is(c, VERASE))
        line.resize(line.empty() ? 0 : line.size() - 1);
      else if (c != end_of_file_)
        line += c;
    }
    write_all(STDOUT_FILENO, "\n");
    return line;
  }

  static bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(fd, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) {
        pollfd state{fd, POLLOUT, 0};
        ::poll(&state, 1, -1);
        continue;
      }
      if (count < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// One line each, as readline keeps it.
  void load_history(const Address& address, const std::string& path) {
    history_ = open_to_append(path, 0600, Unread::refuse, O_RDWR);
    check(std::string(address.written()) + ": open " + path, history_.get());
    std::string text;
    char buffer[16384];
    for (ssize_t count = 0; (count = ::read(history_.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      if (end > begin) editor_.remember(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  /// At once, so that nothing is lost however we end, and others may add their own.
  void remember(const std::string& line) const {
    editor_.remember(line);
    if (history_) write_all(history_.get(), line + '\n');
  }

  Editor editor_;
  std::shared_ptr<Unfinished> unfinished_;
  std::optional<std::string> fixed_prompt_;
  std::optional<Pattern> hidden_;
  bool shows_prompt_ = true;
  char end_of_file_ = '\x04';
  Fd history_;
};

/// Notes what of the output may be a prompt.
class Prompting final : public Decorator {
 public:
  Prompting(std::unique_ptr<Stream> inner, std::shared_ptr<Unfinished> unfinished)
      : Decorator(std::move(inner)), unfinished_(std::move(unfinished)) {}

  Task<End> write_some(Batch& from) override {
    const ConstBytes bytes = from.carries_messages() ? ConstBytes(from.messages().front().data) : from.data();
    const std::string all(as_text(bytes));
    const std::string before = unfinished_->line();
    // Before it can be seen, and so answered.
    unfinished_->add(all);
    const std::size_t had = from.size();
    const End end = co_await inner().write_some(from);
    const std::size_t written = had - from.size();
    if (written < all.size()) {
      unfinished_->set(before);
      unfinished_->add(ConstBytes(all).first(written));
    }
    co_return end;
  }

 private:
  std::shared_ptr<Unfinished> unfinished_;
};

/// Whoever uses a terminal without echo (one in raw mode) shows what is typed itself, as the editor does; but
/// that is at work only where it finds echo switched on.
void let_editor_work() {
  termios settings{};
  if (::tcgetattr(STDIN_FILENO, &settings) != 0 || (settings.c_lflag & ECHO) != 0) return;
  settings.c_lflag |= ECHO;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
}

/// The terminal as it is while nothing is typed: each character is to be seen at once, and shown by the
/// editor alone.
void quiet_terminal() {
  termios settings{};
  ::tcgetattr(STDIN_FILENO, &settings);
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  // Around each line the editor is in canonical mode for a moment, in which this character would be taken for
  // itself no more; it knows it without.
  settings.c_cc[VEOF] = _POSIX_VDISABLE;
  check("READLINE: set up the terminal", ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings));
}

class Readline final : public Endpoint {
 public:
  Readline(const Address& address, Use use, const Context& context)
      : address_(address), use_(use), context_(context) {
    if (const Option* option = address.find("noecho")) const Pattern checked(address, *option);
  }

  Task<std::unique_ptr<Stream>> open(Session& session) override {
    const int in = use_ == Use::writing ? -1 : STDIN_FILENO;
    const int out = use_ == Use::reading ? -1 : STDOUT_FILENO;
    const bool typed = in >= 0 && ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
    context_.log.notice(typed ? "using readline on stdio for reading and writing"
                              : "stdio is no terminal: using it without readline");
    if (!typed) co_return inherited_stream(address_, in, out, session.alone, context_);
    // The library has one state for the whole process, and that one terminal.
    static std::atomic<bool> in_use = false;
    if (in_use.exchange(true))
      throw Failure(std::string(address_.written()) + ": the terminal has served one session already");
    apply(address_, {Phase::fd, Phase::late}, STDIN_FILENO, context_);
    co_return typed_stream(out);
  }

  std::size_t descriptors() const override { return 4; }

 private:
  std::unique_ptr<Stream> typed_stream(int out) {
    // Put back when the stream goes; the editor changes them as soon as it is there.
    auto settings = keep_terminal_settings(STDIN_FILENO);
    auto unfinished = std::make_shared<Unfinished>();
    if (address_.find("echo") == nullptr) let_editor_work();
    auto typing = std::make_shared<Typing>(address_, unfinished);
    int ends[2];
    check("create a pipe", ::pipe2(ends, O_CLOEXEC));
    Fd ours(ends[0]);
    auto theirs = std::make_shared<Fd>(ends[1]);
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    FdStream::Parts parts;
    parts.in = std::make_unique<Descriptor>(context_.loop, std::move(ours));
    std::shared_ptr<void> writer;
    if (out >= 0) parts.out = open_inherited(context_.loop, out, Side::writing, writer);
    parts.finish = finish_by(address_, FinishBy::nothing);
    parts.traits = {Shape::bytes, false, false};
    parts.shown_in = STDIN_FILENO;
    parts.shown_out = out;
    parts.companion = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(
        std::move(writer), std::move(settings));
    quiet_terminal();
    // It may wait for somebody to type long after nobody wants to know.
    quiet_thread([typing, theirs]() mutable {
      typing->run(*theirs);
      theirs->reset();
    }).detach();
    return std::make_unique<Prompting>(std::make_unique<FdStream>(std::move(parts)), std::move(unfinished));
  }

  Address address_;
  Use use_;
  Context context_;
};

}  // namespace

std::unique_ptr<Endpoint> make_readline(const Address& address, Use use, const Context& context) {
  return std::make_unique<Readline>(address, use, context);
}

}  // namespace sluice

#include "over_addresses.h"

#include <limits>

#include "address_completion.h"
#include "progress_option.h"
#include "sluice/endpoint/bridge.h"
#include "sluice/endpoint/command_line.h"
#include "sluice/endpoint/in_process.h"
#include "sluice/endpoint/own_loop.h"
#include "sluice/stream/filtered.h"

namespace sluice {
namespace {

std::optional<std::string> text_of(const Arguments& arguments, std::string_view name) {
  const ParsedArgument* option = arguments.find(name);
  if (option == nullptr) return {};
  return std::string(option->value);
}

}  // namespace

bool answer_completion(const Arguments& arguments) {
  const ParsedArgument* option = arguments.find("complete-address");
  if (option == nullptr) return false;
  print(address_completions(option->value));
  return true;
}

std::optional<AddressRun> address_run_of(const Invocation& invocation, const Arguments& arguments) {
  const bool from = arguments.flag("from"), to = arguments.flag("to"), serve = arguments.flag("serve");
  if (!from && !to && !serve) {
    for (const std::string_view name : {"ready-fd", "ready-file"})
      if (arguments.flag(name)) throw UsageError("--" + std::string(name) + " needs an address to report on");
    return {};
  }
  if (serve && (from || to)) throw UsageError("--serve cannot be combined with --from or --to");
  const auto& operands = arguments.operands();
  if ((serve || from) && !operands.empty())
    throw UsageError("extra operand '" + std::string(operands.front()) +
                     "': files cannot be combined with --" + (serve ? "serve" : "from"));

  AddressRun run{.program = invocation.program,
                 .from = {},
                 .files = {operands.begin(), operands.end()},
                 .to = text_of(arguments, "to"),
                 .serve = text_of(arguments, "serve"),
                 .ready_fd = {},
                 .ready_file = text_of(arguments, "ready-file"),
                 .progress = {}};
  if (arguments.flag("progress")) run.progress = std::make_shared<ProgressCounts>();
  for (const std::string_view address : arguments.values("from")) run.from.emplace_back(address);
  if (const ParsedArgument* fd = arguments.find("ready-fd"))
    run.ready_fd = static_cast<int>(integer_of(*fd, 0, std::numeric_limits<int>::max()));
  return run;
}

namespace {

/// What is read one after the other as one stream, each text through a filter of its own. A source that
/// cannot be opened is reported and the rest still read.
class Sequence final : public Stream {
 public:
  Sequence(std::vector<Specification> sources, FilterFactory factory, const Context& context,
           Session& session)
      : sources_(std::move(sources)), factory_(std::move(factory)), context_(context), session_(session) {}

  Task<End> read_some(Batch& into) override {
    while (!stopped_) {
      if (!current_) {
        if (!co_await open_next()) co_return End{End::finished, {}};
      }
      const End end = co_await current_->read_some(into);
      if (end.kind != End::finished) co_return end;
      co_await current_->close(session_.limits);
      current_.reset();
    }
    co_return End{End::abandoned, {}};
  }
  Task<End> write_some(Batch&) override { co_return end_of(EPIPE); }
  Task<End> finish() override { co_return End{}; }
  Task<> closed() override { co_return; }
  Task<> discard_input() override { co_return; }
  void stop_reading() override {
    stopped_ = true;
    if (current_) current_->stop_reading();
  }
  void stop_writing() override {}
  Task<> close(const Limits& limits) override {
    if (current_) co_await current_->close(limits);
  }
  const Info& info() const override { return info_; }

 private:
  /// Whether what is open now would be read from and written to without end, which is reported.
  bool feeds_itself() {
    Info target;
    target.out = session_.left_goes_to;
    const auto file = file_fed_by_itself(current_->info(), target, Direction::left_to_right, {});
    if (!file) return false;
    context_.log.error(*file + ": " + input_is_output().message());
    session_.status = static_cast<int>(ExitStatus::failure);
    return true;
  }

  Task<bool> open_next() {
    for (; next_ < sources_.size(); ++next_) {
      auto filter = factory_();
      try {
        const auto endpoint = make_endpoint(sources_[next_], Use::reading, context_);
        current_ = co_await endpoint->open(session_);
        if (current_ && filter->passes_on() && feeds_itself()) current_.reset();
      } catch (const Failure& failure) {
        context_.log.write(Severity::error, failure.what(), failure.detail());
        session_.status = static_cast<int>(failure.status());
      }
      if (!current_) continue;
      if (filter->passes_on()) current_ = wary_of(std::move(current_), session_.left_goes_to);
      current_ = filtered(std::move(current_), std::move(filter), nullptr);
      ++next_;
      co_return true;
    }
    co_return false;
  }

  std::vector<Specification> sources_;
  FilterFactory factory_;
  Context context_;
  Session& session_;
  Info info_;
  std::unique_ptr<Stream> current_;
  std::size_t next_ = 0;
  bool stopped_ = false;
};

class SequenceEndpoint final : public Endpoint {
 public:
  SequenceEndpoint(std::vector<Specification> sources, FilterFactory factory, const Context& context)
      : sources_(std::move(sources)), factory_(std::move(factory)), context_(context) {}
  Task<std::unique_ptr<Stream>> open(Session& session) override {
    co_return std::make_unique<Sequence>(sources_, factory_, context_, session);
  }

 private:
  std::vector<Specification> sources_;
  FilterFactory factory_;
  Context context_;
};

/// Counts what a filter takes.
class Counted final : public Filter {
 public:
  Counted(std::unique_ptr<Filter> inner, std::shared_ptr<ProgressCounts> counts)
      : inner_(std::move(inner)), counts_(std::move(counts)) {}
  void feed(ConstBytes in, Output& out) override {
    inner_->feed(in, out);
    counts_->bytes.fetch_add(in.size(), std::memory_order_relaxed);
  }
  void finish(Output& out) override { inner_->finish(out); }
  bool passes_on() const override { return inner_->passes_on(); }

 private:
  std::unique_ptr<Filter> inner_;
  std::shared_ptr<ProgressCounts> counts_;
};

/// How many bytes reading an address gives, where that is known: of files, as they are.
std::optional<std::uint64_t> bytes_of(const Specification& source) {
  const Address& address = source.reading;
  if (source.writing || !address.options.empty()) return {};
  const std::string_view keyword = address.keyword->name;
  if (keyword == "STDIN" || keyword == "STDIO") return bytes_of_files({});
  if (keyword != "OPEN" && keyword != "GOPEN") return {};
  return bytes_of_file(address.parameters[0].text);
}

std::optional<std::uint64_t> bytes_of(const std::vector<Specification>& sources) {
  std::uint64_t sum = 0;
  for (const Specification& source : sources) {
    const auto bytes = bytes_of(source);
    if (!bytes) return {};
    sum += *bytes;
  }
  return sum;
}

/// The address of a file, whatever its name contains.
Specification file(const std::string& name) {
  if (name == "-") return parse_specification("STDIN");
  Specification file = parse_specification("OPEN:x");
  file.reading.parameters[0].text = name;
  return file;
}

/// The address to serve: peers come to it again and again, whether or not it says fork.
Specification serving(const std::string& text) {
  Specification serving{parse_address(text), {}};
  Address& address = serving.reading;
  if (!overlap(address.keyword->groups, Group::child))
    throw AddressError(address, address.place,
                       "no clients come to such an address (TCP-LISTEN, UNIX-LISTEN, UDP-RECVFROM...)");
  address.options.push_back({find_option("fork"), true, {}, false, address.place});
  return serving;
}

}  // namespace

int run_over_addresses(const AddressRun& run, const FilterFactory& factory) {
  LogSettings settings;
  settings.program = run.program;
  Logger log(settings);
  BridgePlan plan;
  plan.ready_fd = run.ready_fd;
  plan.ready_file = run.ready_file;
  plan.threads = processors();
  if (run.progress)
    plan.progress = {.program = run.program, .lines = run.counts_lines ? &run.progress->lines : nullptr};
  const auto warn_of = [&log](const Specification& specification) {
    for (const std::string& quotes : lost_quotes(specification)) log.warning(quotes);
    return specification;
  };
  if (run.serve) {
    plan.left = [served = warn_of(serving(*run.serve))](Use use, const Context& context) {
      return make_endpoint(served, use, context);
    };
    plan.right = [factory](Use, const Context& context) { return answering_endpoint(context, factory); };
    return bridge(plan, log);
  }
  std::vector<Specification> sources;
  for (const auto& address : run.from) sources.push_back(warn_of(parse_specification(address)));
  if (run.from.empty())
    for (const auto& name : run.files) sources.push_back(file(name));
  if (sources.empty()) sources.push_back(file("-"));
  const Specification target = warn_of(parse_specification(run.to.value_or("STDOUT")));
  plan.limits.direction = Direction::left_to_right;
  FilterFactory filters = factory;
  if (run.progress) {
    plan.progress->bytes = &run.progress->bytes;
    plan.progress->total = bytes_of(sources);
    filters = [factory, counts = run.progress] { return std::make_unique<Counted>(factory(), counts); };
  }
  plan.left = [sources, filters](Use, const Context& context) {
    return std::make_unique<SequenceEndpoint>(sources, filters, context);
  };
  plan.right = [target](Use use, const Context& context) { return make_endpoint(target, use, context); };
  return bridge(plan, log);
}

}  // namespace sluice

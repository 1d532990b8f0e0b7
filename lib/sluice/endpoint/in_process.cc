#include "sluice/endpoint/in_process.h"

#include "sluice/endpoint/families.h"
#include "sluice/stream/filtered.h"
#include "sluice/text/lines.h"
#include "sluice/text/upper.h"

namespace sluice {
namespace {

/// UPPER and COUNT-LINES: a filter of ours that answers what is written to it, without a process.
class InProcessFilter final : public Endpoint {
 public:
  InProcessFilter(const Context& context, FilterFactory make) : loop_(context.loop), make_(std::move(make)) {}

  std::size_t descriptors() const override { return 0; }
  Task<std::unique_ptr<Stream>> open(Session&) override { co_return answering(loop_, make_()); }

 private:
  Loop& loop_;
  FilterFactory make_;
};

}  // namespace

std::unique_ptr<Endpoint> answering_endpoint(const Context& context, FilterFactory make) {
  return std::make_unique<InProcessFilter>(context, std::move(make));
}

std::unique_ptr<Endpoint> make_in_process_filter(const Address& address, Use, const Context& context) {
  if (address.keyword->name == "UPPER") return answering_endpoint(context, [] { return upper_filter(); });
  return answering_endpoint(context, [] { return std::make_unique<CountLinesFilter>(); });
}

}  // namespace sluice

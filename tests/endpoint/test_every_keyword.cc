#include <gtest/gtest.h>
#include <mqueue.h>

#include <map>

#include "opened.h"

/// Every keyword of the language becomes an endpoint; what this kernel lacks is its own refusal, and counted.
namespace sluice {
namespace {

class EveryKeyword : public testing::EndpointTest {
 protected:
  ~EveryKeyword() override { ::mq_unlink(queue_.c_str()); }

  /// Parameters by the names that the syntax has for them.
  std::string parameter(const std::string& keyword, const std::string& name) const {
    if (keyword.starts_with("POSIXMQ")) return queue_;
    const std::map<std::string, std::string> values = {
        {"host", keyword.find('6') != keyword.npos ? "[::1]" : "127.0.0.1"},
        {"remote-address", keyword.starts_with("SOCKET-") ? "x00017f0000010000000000000000" : "127.0.0.1"},
        {"local-address", "x00007f0000010000000000000000"},
        {"port", keyword.ends_with("LISTEN") || keyword.ends_with("RECV") || keyword.ends_with("RECVFROM")
                     ? "0"
                     : "1"},
        {"protocol", keyword.starts_with("SOCKET-") ? "0" : "254"},
        {"domain", "2"},
        {"type", "2"},
        {"cid", "1"},
        {"fdnum", "0"},
        {"interface", "lo"},
        {"command-line", "true"},
        {"shell-command", "true"},
        {"filename", path("file")},
        {"string", "text"},
        {"socks-server", "127.0.0.1"},
        {"socks-port", "1"},
        {"proxy-server", "127.0.0.1"},
        {"target-host", "127.0.0.1"},
        {"target-port", "1"},
        {"listen-host", "127.0.0.1"},
        {"listen-port", "1"},
    };
    const auto found = values.find(name);
    return found != values.end() ? found->second : "1";
  }

  std::string address_of(const KeywordRow& row) const {
    std::string text(row.name);
    std::string_view syntax = row.syntax;
    const bool shortened = row.least_parameters < row.most_parameters;
    for (int i = 0; i < row.least_parameters;) {
      const auto begin = syntax.find('<');
      const auto end = syntax.find('>', begin);
      // What stands in brackets may be left out.
      const bool optional = shortened && begin > 0 && syntax.substr(0, begin).find('[') != syntax.npos;
      const std::string name(syntax.substr(begin + 1, end - begin - 1));
      syntax.remove_prefix(end + 1);
      if (optional) continue;
      text += ':' + parameter(std::string(row.name), name);
      ++i;
    }
    return text;
  }

 private:
  std::string queue_ = "/sluice-every-keyword-" + std::to_string(::getpid());
};

TEST_F(EveryKeyword, BecomesAnEndpointOrIsRefusedByThisKernel) {
  std::map<std::string, int> counts;
  const Use uses[] = {Use::both, Use::writing, Use::reading};
  for (const KeywordRow& row : keyword_rows()) {
    const std::string text = address_of(row);
    const bool tls = overlap(row.groups, Group::openssl);
    std::string refusal = "it was not made";
    for (const Use use : uses) {
      try {
        const auto one = make_endpoint(parse_specification(text), use, context_);
        run(loop_, one->prepare());
        refusal.clear();
        break;
      } catch (const Failure& failure) {
        refusal = failure.what();
      }
    }
    if (tls) {
      EXPECT_NE(refusal.find("is not supported yet"), std::string::npos) << text << ": " << refusal;
      ++counts["TLS"];
      continue;
    }
    bool by_kernel = false;
    for (const char* error :
         {"Protocol not supported", "Socket type not supported", "Operation not permitted",
          "Address family not supported by protocol", "Permission denied", "No such device"})
      by_kernel = by_kernel || refusal.find(error) != std::string::npos;
    // What a test of standard input finds is no matter of the keyword.
    const bool by_descriptor = row.name == "ACCEPT-FD" || row.name == "STDERR";
    EXPECT_TRUE(refusal.empty() || by_kernel || by_descriptor) << text << ": " << refusal;
    ++counts[refusal.empty() ? "made" : "refused by the kernel"];
  }
  EXPECT_GT(counts["made"], 80);
  for (const auto& [what, count] : counts) RecordProperty(what, count);
}

}  // namespace
}  // namespace sluice

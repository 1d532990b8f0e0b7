#include <gtest/gtest.h>
#include <sys/stat.h>

#include "opened.h"

namespace sluice {
namespace {

class GenericOpen : public testing::EndpointTest {};

TEST_F(GenericOpen, AppendsToAFileThatIsWritten) {
  for (const char* text : {"one ", "two"}) {
    auto stream = open("GOPEN:" + path("f"), Use::writing);
    write(*stream, text);
    close(*stream);
  }
  auto stream = open(path("f"), Use::reading);
  EXPECT_EQ(read(*stream), "one two");
}

TEST_F(GenericOpen, ConnectsToASocketOfEitherKind) {
  for (const auto* server : {"UNIX-LISTEN:", "UNIX-RECV:"}) {
    const auto listener =
        endpoint(server + path("s"), std::string(server) == "UNIX-RECV:" ? Use::reading : Use::both);
    run(loop_, listener->prepare());
    auto client = open("GOPEN:" + path("s"));
    auto accepted = open(*listener);
    write(*client, "hello");
    EXPECT_EQ(read_once(*accepted), "hello") << server;
  }
}

TEST_F(GenericOpen, OpensFifosAndDevices) {
  ASSERT_EQ(::mkfifo(path("p").c_str(), 0600), 0);
  const Fd writer(::open(path("p").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  auto reader = open("GOPEN:" + path("p"), Use::reading);
  EXPECT_EQ(read_once(*reader), "x");
  EXPECT_EQ(read(*open("GOPEN:/dev/null")), "");
}

TEST_F(GenericOpen, MakesWhatIsReadOnlyUnderTheNameOfSocat) {
  EXPECT_NE(failure("GOPEN:" + path("none"), Use::reading).find("No such file"), std::string::npos);
  EXPECT_EQ(read(*open("GOPEN:" + path("both"))), "");
  Context as_socat{loop_, log_, true};
  const auto one = make_endpoint(parse_specification("GOPEN:" + path("one")), Use::reading, as_socat);
  EXPECT_EQ(read(*open(*one)), "");
}

TEST_F(GenericOpen, TakesOptionsThatFitFilesAsWell) {
  for (const std::string& address :
       {"GOPEN:" + path("f"), path("f"), "GOPEN:f,chdir=" + folder(), "./f,chdir=" + folder()}) {
    ::unlink(path("f").c_str());
    close(*open(address + ",umask=077", Use::writing));
    struct stat status {};
    ASSERT_EQ(::stat(path("f").c_str(), &status), 0) << address;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << address;
  }
  const auto listener = endpoint("UNIX-LISTEN:" + path("s"));
  run(loop_, listener->prepare());
  open("GOPEN:s,umask=077,chdir=" + folder());
}

TEST_F(GenericOpen, RefusesOptionsOfSocketsForWhatIsNone) {
  const std::string address = "GOPEN:" + path("f") + ",creat,rcvbuf=20000";
  EXPECT_EQ(failure(address, Use::writing),
            address + ": option \"so-rcvbuf\": Socket operation on non-socket");
  for (const std::string option : {"bind=x", "connect-timeout=1", "so-type=2", "unix-tightsocklen", "pf=ip4"})
    EXPECT_TRUE(failure("GOPEN:" + path("f") + ',' + option).ends_with("f is no socket")) << option;
}

}  // namespace
}  // namespace sluice

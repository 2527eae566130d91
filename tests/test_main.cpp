// The main function of both test programs, for Catch2 v2 (Debian 12) and v3 (Debian 13).
#define CATCH_CONFIG_RUNNER
#include "catch.h"

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }

// The program's entry: verbs are in app/, the table of verbs in cli/.
#include <cstdio>

int main() {
  std::fputs("error: no verb is built yet\n", stderr);
  return 2;
}

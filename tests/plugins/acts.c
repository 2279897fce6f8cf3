/*
 * A plugin that does what a file says, good and bad. The file is named by the configuration,
 * {"orders": "PATH"}, and read again in every call; without one, it works. {"witness": "PATH"} is
 * where it writes what was done to it.
 *
 * -DVERSION=n is the value of its sample; -DPREFIX="x" comes before the ids of its two collectors. The
 * other macros spoil the library itself.
 */
#include "gz_plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#define VERSION 1
#endif
#ifndef PREFIX
#define PREFIX ""
#endif
#ifndef MAJOR
#define MAJOR GZ_ABI_MAJOR
#endif
#ifndef COLLECTOR_SIZE
#define COLLECTOR_SIZE sizeof(gz_collector)
#endif
#ifndef COLLECT
#define COLLECT collect
#endif
#ifndef RELOAD
#define RELOAD reload
#endif
#ifndef SCHEMA
#define SCHEMA ""
#endif
#ifndef SYMBOL
#define SYMBOL gz_plugin
#endif

struct acts {
  const gz_host *host;
  char orders[4096];
  char witness[4096];
  double limit; /* a number of the configuration, to see that it arrives */
};

#ifdef ON_LOAD
__attribute__((constructor)) static void on_load(void) { ON_LOAD; }
#endif

#ifdef NEEDS_GONE
extern int gone(void);
int needs_gone(void) { return gone(); }
#endif

static int is(const struct acts *self, const char *order) {
  char line[64] = "work";
  FILE *file = self->orders[0] ? fopen(self->orders, "r") : NULL;
  if (file) {
    if (fscanf(file, "%63s", line) != 1) strcpy(line, "work");
    fclose(file);
  }
  return strcmp(line, order) == 0;
}

static void tell(const struct acts *self, const char *what) {
  FILE *file = self->witness[0] ? fopen(self->witness, "a") : NULL;
  if (!file) return;
  fprintf(file, "%s\n", what);
  fclose(file);
}

/* Configurations as the host writes them, without spaces. */
static void configure(struct acts *self, gz_str config) {
  char text[8192] = "", *found;
  memcpy(text, config.ptr, config.len < sizeof text - 1 ? config.len : sizeof text - 1);
  if ((found = strstr(text, "\"orders\":\""))) sscanf(found, "\"orders\":\"%4095[^\"]", self->orders);
  if ((found = strstr(text, "\"witness\":\""))) sscanf(found, "\"witness\":\"%4095[^\"]", self->witness);
  if ((found = strstr(text, "\"limit\":"))) sscanf(found, "\"limit\":%lf", &self->limit);
}

static void hang(void) {
  for (;;) sleep(1);
}

static int overflow(volatile char *above) {
  volatile char here[65536];
  here[0] = above[0];
  return overflow(here) + here[0];
}

static gz_status init(const gz_host *host, gz_str config, void **instance, gz_error *error) {
  struct acts *self = calloc(1, sizeof *self);
  if (!self) abort();
  self->host = host;
  configure(self, config);
  host->log(host, GZ_LOG_WARN, gz_str_of("acts is started"));
  if (is(self, "init-hang")) hang();
  if (is(self, "init-unavailable")) return gz_fail(error, GZ_ERR_UNAVAILABLE, "no device yet");
  if (is(self, "init-no-data")) return gz_fail(error, GZ_NO_DATA, "no such device");
  if (is(self, "init-config")) return gz_fail(error, GZ_ERR_CONFIG, "no such mode");
  *instance = self;
  return GZ_OK;
}

static void emit_bad_samples(const gz_sink *sink) {
  static const gz_label odd[] = {{GZ_STR("__x"), GZ_STR("reserved")}};
  gz_sample bad[] = {
      {.name = GZ_STR("acts_nan"), .value = NAN},
      {.name = GZ_STR("acts_\xff\xfe")},
      {.name = GZ_STR("")},
      {.name = {NULL, 7}},
      {.name = GZ_STR("acts_kind"), .kind = 9},
      {.name = GZ_STR("acts_labels"), .labels = NULL, .label_count = 3},
      {.name = GZ_STR("acts_label_name"), .labels = odd, .label_count = 1},
  };
  sink->emit(sink, bad, sizeof bad / sizeof bad[0], sizeof bad[0]);
  sink->emit(sink, NULL, 5, sizeof bad[0]);
  sink->emit(sink, bad, 1, 3);
  sink->emit(sink, bad, (size_t)-1, sizeof bad[0]);
}

static void emit_stamped(const gz_sink *sink) {
  int64_t now = (int64_t)time(NULL) * 1000000000;
  gz_sample samples[] = {{.name = GZ_STR("acts_near"), .unix_ns = now - 60 * INT64_C(1000000000)},
                         {.name = GZ_STR("acts_past"), .unix_ns = now - 3600 * INT64_C(1000000000)},
                         {.name = GZ_STR("acts_future"), .unix_ns = now + 3600 * INT64_C(1000000000)}};
  sink->emit(sink, samples, 3, sizeof samples[0]);
}

static void emit_a_million(const gz_sink *sink) {
  static gz_sample samples[1000];
  for (int i = 0; i < 1000; i++) samples[i].name = gz_str_of("acts_many");
  for (int i = 0; i < 1000; i++) sink->emit(sink, samples, 1000, sizeof samples[0]);
}

/* As a plugin should: it ends when no more is taken. */
static void emit_until_told(const struct acts *self, const gz_sink *sink) {
  static gz_sample samples[1000];
  char text[64];
  long taken = 0;
  for (int i = 0; i < 1000; i++) samples[i].name = gz_str_of("acts_many");
  while (taken < 1000000 && sink->emit(sink, samples, 1000, sizeof samples[0]) == GZ_OK) taken += 1000;
  snprintf(text, sizeof text, "stopped after %ld samples", taken);
  self->host->log(self->host, GZ_LOG_WARN, gz_str_of(text));
}

static gz_status collect(void *instance, const gz_sink *sink, gz_error *error) {
  struct acts *self = instance;
  static const gz_label label = {GZ_STR("library"), GZ_STR(PREFIX)};
  gz_sample samples[] = {{.name = GZ_STR("acts_version"), .labels = &label, .label_count = 1, .value = VERSION},
                         {.name = GZ_STR("acts_limit"), .value = self->limit}};
  sink->emit(sink, samples, 2, sizeof samples[0]);
  if (is(self, "segfault")) *(volatile int *)8 = 1;
  if (is(self, "abort")) abort();
  if (is(self, "overflow")) return overflow((volatile char *)"");
  if (is(self, "exit")) exit(0);
  if (is(self, "hang")) hang();
  if (is(self, "panic-status")) return gz_fail(error, GZ_ERR_PANIC, "broke half-way");
  if (is(self, "unavailable")) return gz_fail(error, GZ_ERR_UNAVAILABLE, "no answer");
  if (is(self, "unknown-status")) return 4711;
  if (is(self, "no-data")) return GZ_NO_DATA;
  if (is(self, "samples")) emit_bad_samples(sink);
  if (is(self, "stamped")) emit_stamped(sink);
  if (is(self, "million")) emit_a_million(sink);
  if (is(self, "request")) {
    tell(self, "collects");
    self->host->request_collect(self->host);
  }
  if (is(self, "until-told")) emit_until_told(self, sink);
  if (is(self, "until-cancelled")) {
    tell(self, "collects");
    while (!self->host->cancelled(self->host)) usleep(1000);
    tell(self, sink->emit(sink, samples, 1, sizeof samples[0]) == GZ_ERR_UNAVAILABLE ? "cancelled" : "taken");
  }
  if (is(self, "leak")) {
    while (malloc(1 << 20)) continue;
    fprintf(stderr, "no memory is left\n");
    abort();
  }
  if (is(self, "stdout")) {
    printf("{\"type\":\"end\",\"status\":\"config\"}\nacts_printed 1\n");
    fflush(stdout);
  }
  if (is(self, "stdin")) {
    char line[64];
    if (fgets(line, sizeof line, stdin)) return gz_fail(error, GZ_ERR_CONFIG, line);
  }
  if (is(self, "close")) {
    for (int fd = 0; fd < 256; fd++) close(fd);
  }
  return GZ_OK;
}

static gz_status reload(void *instance, gz_str config, gz_error *error) {
  struct acts *self = instance;
  tell(self, "reload");
  if (is(self, "reload-hang")) hang();
  if (is(self, "reload-segfault")) *(volatile int *)8 = 1;
  if (is(self, "reload-panic")) return gz_fail(error, GZ_ERR_PANIC, "broke half-way");
  if (is(self, "reload-config")) return gz_fail(error, GZ_ERR_CONFIG, "no such mode");
  if (is(self, "reload-restart")) return GZ_RESTART;
  if (is(self, "reload-no-data")) return GZ_NO_DATA;
  configure(self, config);
  return GZ_OK;
}

static void destroy(void *instance) {
  struct acts *self = instance;
  if (is(self, "destroy-hang")) hang();
  if (is(self, "destroy-segfault")) *(volatile int *)8 = 1;
  if (is(self, "destroy-orphan")) {
    char pid[32];
    pid_t child = fork();
    if (child == 0) {
      execlp("sleep", "sleep", "1000", (char *)NULL);
      _exit(1);
    }
    snprintf(pid, sizeof pid, "%ld", (long)child);
    tell(self, pid);
    hang();
  }
  tell(self, "destroyed");
  self->host->log(self->host, GZ_LOG_WARN, gz_str_of("acts is destroyed"));
  free(instance);
}

static const gz_collector first = {
    .struct_size = COLLECTOR_SIZE,
    .interval_ms = 100,
    .id = GZ_STR(PREFIX "acts"),
    .version = GZ_STR("0.1"),
    .summary = GZ_STR("Does what a file says."),
    .config_schema = GZ_STR(SCHEMA),
    .init = init,
    .collect = COLLECT,
    .reload = RELOAD,
    .destroy = destroy,
};

static const gz_collector second = {
    .struct_size = sizeof(gz_collector),
    .id = GZ_STR(PREFIX "acts-too"),
    .summary = GZ_STR("Does it too."),
    .init = init,
    .collect = collect,
    .destroy = destroy,
};

static const gz_collector *const collectors[] = {&first, &second};

extern GZ_EXPORT const gz_plugin_entry SYMBOL;
const gz_plugin_entry SYMBOL = {
    .abi_major = MAJOR,
    .abi_minor = GZ_ABI_MINOR,
    .struct_size = sizeof(gz_plugin_entry),
    .collector_count = 2,
    .collectors = collectors,
};

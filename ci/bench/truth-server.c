/*
 * A server whose every answer is known: request k (in order of arrival) is served in MIN + SPAN·u³ µs, u = frac(k·φ),
 * and at the scripted moments after the first request the whole server stops for that long: it reads nothing, accepts
 * nothing and answers nothing. It keeps when each request was read and when its answer was written.
 *
 *   truth-server LOG-FILE MIN-US SPAN-US [AT-MS:FOR-MS …]      prints its port; SIGTERM: writes the log, prints a summary
 *
 * LOG-FILE: records of struct record, times in ns since the epoch, `number` from a path `/123`, -1 for others.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 65536
#define REQUEST_MAX 2048
#define EVENTS 256
#define STALLS_MAX 256
#define RECORDS_MAX 20000000
#define GOLDEN 0.6180339887498949

struct record {
  int64_t number;
  int64_t arrived_ns;
  int64_t answered_ns;
};

struct connection {
  uint64_t id;
  int64_t record;
  size_t length;
  int waiting;
  char bytes[REQUEST_MAX];
};

struct answer {
  int64_t due_ns;
  int fd;
  uint64_t id;
};

struct stall {
  int64_t at_ns, for_ns, began_ns, ended_ns;
};

static struct connection *connections[CONNECTIONS_MAX];
static struct record *records;
static size_t record_count, record_room;
static struct answer *heap;
static size_t heap_count, heap_room;
static struct stall stalls[STALLS_MAX];
static int stall_count, next_stall;
static uint64_t served, next_id, open_now, open_peak, broken;
static int64_t first_ns;
static double service_min_ns, service_span_ns;
static volatile sig_atomic_t ending;
static char answer_bytes[512];
static size_t answer_length;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *grown(void *old, size_t *room, size_t size) {
  *room = *room == 0 ? 4096 : *room * 2;
  void *made = realloc(old, *room * size);
  if (made == NULL) die("realloc");
  return made;
}

static void push(struct answer added) {
  if (heap_count == heap_room) heap = grown(heap, &heap_room, sizeof *heap);
  size_t at = heap_count++;
  for (; at > 0 && heap[(at - 1) / 2].due_ns > added.due_ns; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
  heap[at] = added;
}

static struct answer pop(void) {
  struct answer top = heap[0], last = heap[--heap_count];
  size_t at = 0;
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= heap_count) break;
    if (child + 1 < heap_count && heap[child + 1].due_ns < heap[child].due_ns) child++;
    if (heap[child].due_ns >= last.due_ns) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
  return top;
}

static void drop(int fd) {
  close(fd);
  free(connections[fd]);
  connections[fd] = NULL;
  open_now--;
}

static void answer(int fd) {
  struct connection *c = connections[fd];
  c->waiting = 0;
  if (c->record >= 0) records[c->record].answered_ns = clock_ns(CLOCK_REALTIME);
  if (send(fd, answer_bytes, answer_length, MSG_NOSIGNAL) != (ssize_t)answer_length) drop(fd);
}

static void answer_due(int64_t now) {
  while (heap_count > 0 && heap[0].due_ns <= now) {
    struct answer due = pop();
    if (connections[due.fd] != NULL && connections[due.fd]->id == due.id) answer(due.fd);
  }
}

static int64_t log_arrival(const char *request) {
  if (record_count >= RECORDS_MAX) return -1;
  if (record_count == record_room) records = grown(records, &record_room, sizeof *records);
  const char *path = memmem(request, 16, " /", 2);
  int numbered = path != NULL && path[2] >= '0' && path[2] <= '9';
  records[record_count] = (struct record){
      .number = numbered ? atoll(path + 2) : -1, .arrived_ns = clock_ns(CLOCK_REALTIME), .answered_ns = 0};
  return (int64_t)record_count++;
}

static void serve(int fd) {
  struct connection *c = connections[fd];
  ssize_t got = recv(fd, c->bytes + c->length, sizeof c->bytes - 1 - c->length, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  c->length += (size_t)got;
  c->bytes[c->length] = '\0';
  char *end = memmem(c->bytes, c->length, "\r\n\r\n", 4);
  if (end == NULL && c->length < sizeof c->bytes - 1) return;
  /* One request at a time on a connection, without a body: more is not what the measured tools send. */
  if (end == NULL || c->waiting || end + 4 != c->bytes + c->length) {
    broken++;
    return drop(fd);
  }
  c->length = 0;
  c->record = log_arrival(c->bytes);
  int64_t now = clock_ns(CLOCK_MONOTONIC);
  if (first_ns == 0) first_ns = now;
  double k = (double)served++ * GOLDEN, u = k - floor(k);
  c->waiting = 1;
  int64_t service = (int64_t)(service_min_ns + service_span_ns * u * u * u);
  if (service == 0) return answer(fd);
  push((struct answer){.due_ns = now + service, .fd = fd, .id = c->id});
}

static void accept_all(int epoll, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= CONNECTIONS_MAX) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) die("calloc");
    c->id = ++next_id;
    c->record = -1;
    connections[fd] = c;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    if (++open_now > open_peak) open_peak = open_now;
  }
}

/* When the next stall begins, in ns of CLOCK_MONOTONIC; 0: none to come. */
static int64_t stall_due(void) {
  return first_ns == 0 || next_stall >= stall_count ? 0 : first_ns + stalls[next_stall].at_ns;
}

static void stall_if_due(void) {
  int64_t due = stall_due();
  if (due == 0 || clock_ns(CLOCK_MONOTONIC) < due) return;
  struct stall *stall = &stalls[next_stall++];
  stall->began_ns = clock_ns(CLOCK_REALTIME);
  int64_t until = due + stall->for_ns;
  struct timespec end = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
  while (!ending && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR) {
  }
  stall->ended_ns = clock_ns(CLOCK_REALTIME);
}

static void arm(int timer) {
  int64_t due = stall_due();
  if (heap_count > 0 && (due == 0 || heap[0].due_ns < due)) due = heap[0].due_ns;
  struct itimerspec when = {.it_value = {.tv_sec = due / 1000000000, .tv_nsec = due % 1000000000}};
  if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL) != 0) die("timerfd_settime");
}

static void report(const char *path) {
  FILE *file = fopen(path, "w");
  if (file == NULL || fwrite(records, sizeof *records, record_count, file) != record_count || fclose(file) != 0)
    die(path);
  printf("{\"requests\":%llu,\"connectionsPeak\":%llu,\"broken\":%llu,\"stalls\":[", (unsigned long long)served,
         (unsigned long long)open_peak, (unsigned long long)broken);
  for (int i = 0; i < next_stall; i++)
    printf("%s{\"plannedForMs\":%.3f,\"beganMs\":%.3f,\"endedMs\":%.3f}", i == 0 ? "" : ",",
           (double)stalls[i].for_ns / 1e6, (double)stalls[i].began_ns / 1e6, (double)stalls[i].ended_ns / 1e6);
  printf("]}\n");
}

static int listen_on_loopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 65535) != 0) die("listen");
  if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) die("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void end(int signal) {
  (void)signal;
  ending = 1;
}

static void set_up(int argc, char **argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* Timers of this thread fire when they are due, not up to 50 µs later. */
  prctl(PR_SET_TIMERSLACK, 1);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  service_min_ns = atof(argv[2]) * 1000;
  service_span_ns = atof(argv[3]) * 1000;
  for (int i = 4; i < argc && stall_count < STALLS_MAX; i++, stall_count++) {
    double at_ms, for_ms;
    if (sscanf(argv[i], "%lf:%lf", &at_ms, &for_ms) != 2) exit(3);
    stalls[stall_count] = (struct stall){.at_ns = (int64_t)(at_ms * 1e6), .for_ns = (int64_t)(for_ms * 1e6)};
  }
  answer_length = (size_t)snprintf(answer_bytes, sizeof answer_bytes,
                                   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n");
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv) {
  if (argc < 4) return 3;
  set_up(argc, argv);
  int listener = listen_on_loopback();
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (epoll < 0 || timer < 0) die("epoll, timerfd");
  for (int i = 0; i < 2; i++) {
    int fd = i == 0 ? listener : timer;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
  }
  struct epoll_event events[EVENTS];
  while (!ending) {
    arm(timer);
    int ready = epoll_wait(epoll, events, EVENTS, 1000);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    stall_if_due();
    answer_due(clock_ns(CLOCK_MONOTONIC));
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        accept_all(epoll, listener);
      else if (fd != timer && connections[fd] != NULL)
        serve(fd);
    }
  }
  report(argv[1]);
  return 0;
}

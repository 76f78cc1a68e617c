/* Runs a fuzz target without libFuzzer.
 *
 *     TARGET [-runs=N] [-seed=S] [-max_total_time=SECONDS] [-max_len=BYTES] FOLDER|FILE…
 *
 * Files are given to the target as they are, then N mutations of what lies in the folders: mutation i depends on the seed and i alone. What
 * makes the target fail is left behind as crash-TARGET. Other options of libFuzzer are ignored. Without arguments the input is read from standard input, which is how AFL++ runs
 * it; built by afl-clang-fast it stays in one process.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "mutate.h"

#define LONGEST_INPUT 65536
/* Of one execution, in seconds; sanitizers on a busy machine are slow. */
#define PATIENCE 60
#define MOST_MEMORY ((rlim_t) 8 << 30)

typedef struct
{
  guint64 runs, seed;
  gint64 seconds;
  guint longest;
} Options;

static struct
{
  const guint8 *data;
  gsize size;
  char path[256];
} current;

static void
leave_input (void)
{
  int file = open (current.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0 || write (file, current.data, current.size) != (gssize) current.size)
    current.path[0] = '\0';
  static const char what[] = "the input that failed is ";
  if (write (STDERR_FILENO, what, sizeof what - 1) < 0 || write (STDERR_FILENO, current.path, strlen (current.path)) < 0
      || write (STDERR_FILENO, "\n", 1) < 0)
    return;
}

static void
die (int number)
{
  leave_input ();
  signal (number, SIG_DFL);
  raise (number);
}

/* Of the sanitizers' runtime, if there is one. */
__attribute__ ((weak)) void __sanitizer_set_death_callback (void (*callback) (void));

static void
watch_failures (const char *program)
{
  static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGALRM };
  g_autofree char *name = g_path_get_basename (program);
  g_snprintf (current.path, sizeof current.path, "crash-%s", g_str_has_prefix (name, "lt-") ? name + 3 : name);
  if (__sanitizer_set_death_callback != NULL)
    {
      __sanitizer_set_death_callback (leave_input);
      signal (SIGABRT, die);
      signal (SIGTRAP, die);
      signal (SIGALRM, die);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    signal (signals[i], die);
  /* An allocation that no input justifies fails. */
  setrlimit (RLIMIT_AS, &(struct rlimit){ MOST_MEMORY, MOST_MEMORY });
}

/* The target gets a copy of the input that ends where it ends, so that sanitizers see what reads beyond. */
static void
execute (gconstpointer input, gsize size)
{
  g_autofree guint8 *data = g_malloc (MAX (size, 1));
  if (size > 0)
    memcpy (data, input, size);
  current.data = data;
  current.size = size;
  alarm (PATIENCE);
  LLVMFuzzerTestOneInput (data, size);
  alarm (0);
}

static GBytes *
read_file (const char *path)
{
  char *data;
  gsize size;
  GError *error = NULL;
  if (!g_file_get_contents (path, &data, &size, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      exit (EXIT_FAILURE);
    }
  return g_bytes_new_take (data, size);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Files of a folder by name; a folder that isn't there has none. */
static void
read_folder (const char *path, GPtrArray *inputs)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name; folder != NULL && (name = g_dir_read_name (folder)) != NULL;)
    g_ptr_array_add (names, g_build_filename (path, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    g_ptr_array_add (inputs, read_file (names->pdata[i]));
}

static void
run_all (const Options *options, GPtrArray *inputs)
{
  gint64 end = g_get_monotonic_time () + options->seconds * G_USEC_PER_SEC;
  guint64 n = 0;
  for (guint i = 0; i < inputs->len; i++)
    {
      gsize size;
      gconstpointer data = g_bytes_get_data (inputs->pdata[i], &size);
      execute (data, size);
    }
  for (; inputs->len > 0 && n < options->runs && (options->seconds == 0 || g_get_monotonic_time () < end); n++)
    {
      g_autoptr (GByteArray) bytes = fuzz_mutate (inputs, options->seed, n, options->longest);
      execute (bytes->data, bytes->len);
    }
  printf ("%u files, %" G_GUINT64_FORMAT " mutations\n", inputs->len, n);
}

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT ();
#endif

static int
run_input (void)
{
#ifdef __AFL_FUZZ_TESTCASE_LEN
  __AFL_INIT ();
  const guint8 *data = __AFL_FUZZ_TESTCASE_BUF;
  while (__AFL_LOOP (10000))
    LLVMFuzzerTestOneInput (data, (gsize) __AFL_FUZZ_TESTCASE_LEN);
#else
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 chunk[4096];
  for (gssize n; (n = read (STDIN_FILENO, chunk, sizeof chunk)) > 0;)
    g_byte_array_append (bytes, chunk, (guint) n);
  execute (bytes->data, bytes->len);
#endif
  return EXIT_SUCCESS;
}

static gboolean
read_option (const char *argument, const char *name, guint64 *value)
{
  return g_str_has_prefix (argument, name) && g_ascii_string_to_unsigned (argument + strlen (name), 10, 0, G_MAXINT64, value, NULL);
}

int
main (int argc, char **argv)
{
  Options options = { .longest = LONGEST_INPUT };
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  if (argc == 1)
    return run_input ();
  for (int i = 1; i < argc; i++)
    {
      guint64 value;
      if (read_option (argv[i], "-runs=", &value))
        options.runs = value;
      else if (read_option (argv[i], "-seed=", &value))
        options.seed = value;
      else if (read_option (argv[i], "-max_total_time=", &value))
        options.seconds = (gint64) value;
      else if (read_option (argv[i], "-max_len=", &value))
        options.longest = (guint) MIN (value, G_MAXUINT / 2);
      else if (argv[i][0] == '-')
        continue;
      else if (g_file_test (argv[i], G_FILE_TEST_IS_REGULAR))
        g_ptr_array_add (inputs, read_file (argv[i]));
      else
        read_folder (argv[i], inputs);
    }
  if (options.seconds > 0 && options.runs == 0)
    options.runs = G_MAXUINT64;
  watch_failures (argv[0]);
  run_all (&options, inputs);
  return EXIT_SUCCESS;
}

/* Trials: child processes that train and evaluate, several at a time.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "trials-private.h"

typedef struct
{
  const WeftTrialOptions *options;
  GPtrArray *trials;
  GMainLoop *loop;
  char *program;
  guint running, done, all;
  int interrupted;
  gboolean failed;
  GPtrArray *children; /* (element-type GSubprocess) */
} Crew;

typedef struct
{
  Crew *crew;
  WeftTrial *trial;
} Job;

static void
say (const Crew *crew, const WeftTrial *trial, const char *what)
{
  if (!crew->options->common->quiet)
    fprintf (stderr, "[%u/%u] %s, seed %" G_GINT64_FORMAT ": %s\n", crew->done, crew->all, trial->variant->name, trial->seed, what);
}

/* Children must not outlive whoever counts on their directories. */
static void
end_with_parent (gpointer data)
{
  (void) data;
#ifdef __linux__
  prctl (PR_SET_PDEATHSIG, SIGKILL);
#endif
}

static void
add_option (GPtrArray *arguments, const char *option, const char *value)
{
  g_ptr_array_add (arguments, g_strdup (option));
  g_ptr_array_add (arguments, g_strdup (value));
}

static GPtrArray *
make_arguments (const Crew *crew, const WeftTrial *trial, gboolean train)
{
  const WeftCommonOptions *common = crew->options->common;
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);
  int threads = common->threads > 0 ? common->threads : MAX (1, (int) g_get_num_processors () / crew->options->jobs);
  g_autofree char *count = g_strdup_printf ("%d", threads);
  g_ptr_array_add (arguments, g_strdup (crew->program));
  g_ptr_array_add (arguments, g_strdup (train ? "train" : "evaluate"));
  g_ptr_array_add (arguments, g_strdup (train ? crew->options->pipeline : trial->directory));
  g_ptr_array_add (arguments, g_strdup ("--quiet"));
  add_option (arguments, "--threads", count);
  if (common->plugin_path)
    add_option (arguments, "--plugin-path", common->plugin_path);
  if (train)
    {
      g_auto (GStrv) settings = weft_trial_settings (trial);
      add_option (arguments, "--output", trial->directory);
      for (char **overlay = trial->variant->overlays; *overlay; overlay++)
        add_option (arguments, "--overlay", *overlay);
      for (char **setting = settings; *setting; setting++)
        add_option (arguments, "--set", *setting);
    }
  else
    g_ptr_array_add (arguments, g_strdup ("--json"));
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

static void start_more (Crew *crew);
static void start (Crew *crew, WeftTrial *trial, gboolean train);

static void
stop_children (Crew *crew, int signal)
{
  for (guint i = 0; i < crew->children->len; i++)
    g_subprocess_send_signal (crew->children->pdata[i], signal);
}

static void
fail (Crew *crew, WeftTrial *trial, const char *said)
{
  g_auto (GStrv) lines = g_strsplit (said && *said ? said : "ended without a word", "\n", -1);
  const char *last = lines[0];
  for (char **line = lines; *line; line++)
    if (**line)
      last = *line;
  crew->done++;
  crew->failed = TRUE;
  weft_trial_say_why (trial, WEFT_TRIAL_FAILED, g_strdup_printf ("failed: %s (%s/log.txt)", last, trial->directory));
  say (crew, trial, trial->why);
  if (crew->options->fail_fast)
    stop_children (crew, SIGTERM);
}

static void
finish (Crew *crew, WeftTrial *trial, const char *output)
{
  g_autoptr (GError) error = NULL;
  trial->step_seconds = weft_trial_step_seconds (trial->directory);
  if (!weft_trial_parse_numbers (trial, output) || !weft_trial_write_result (trial, &error))
    {
      fail (crew, trial, error ? error->message : "the evaluation gave no numbers");
      return;
    }
  trial->state = WEFT_TRIAL_DONE;
  crew->done++;
  say (crew, trial, "done");
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Job *job = data;
  Crew *crew = job->crew;
  WeftTrial *trial = job->trial;
  GSubprocess *child = G_SUBPROCESS (source);
  g_autofree char *output = NULL, *errors = NULL;
  g_autoptr (GError) error = NULL;
  gboolean read = g_subprocess_communicate_utf8_finish (child, result, &output, &errors, &error);
  gboolean exited = read && g_subprocess_get_if_exited (child);
  int status = exited ? g_subprocess_get_exit_status (child) : -1;
  crew->running--;
  if (crew->interrupted || (crew->failed && crew->options->fail_fast && status != 0))
    weft_trial_say_why (trial, WEFT_TRIAL_STOPPED, g_strdup ("stopped; the same command goes on"));
  else if (status != 0)
    {
      g_autofree char *killed = read && g_subprocess_get_if_signaled (child)
                                    ? g_strdup_printf ("killed: %s", g_strsignal (g_subprocess_get_term_sig (child)))
                                    : NULL;
      fail (crew, trial, killed ? killed : error ? error->message : errors);
    }
  else if (trial->state == WEFT_TRIAL_TRAINING)
    start (crew, trial, FALSE);
  else
    finish (crew, trial, output);
  g_ptr_array_remove (crew->children, child);
  start_more (crew);
}

static void
start (Crew *crew, WeftTrial *trial, gboolean train)
{
  g_autoptr (GPtrArray) arguments = make_arguments (crew, trial, train);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GError) error = NULL;
  g_subprocess_launcher_set_child_setup (launcher, end_with_parent, NULL, NULL);
  GSubprocess *child = g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments->pdata, &error);
  if (!child)
    {
      fail (crew, trial, error->message);
      return;
    }
  trial->state = train ? WEFT_TRIAL_TRAINING : WEFT_TRIAL_EVALUATING;
  if (train)
    say (crew, trial, g_str_has_prefix (trial->why, "continued") ? trial->why : "training");
  Job *job = g_new (Job, 1);
  *job = (Job){ crew, trial };
  crew->running++;
  g_ptr_array_add (crew->children, child);
  g_subprocess_communicate_utf8_async (child, NULL, NULL, on_end, job);
}

static void
start_more (Crew *crew)
{
  gboolean halted = crew->interrupted || (crew->failed && !crew->options->keep_going);
  for (guint i = 0; i < crew->trials->len && !halted && crew->running < (guint) crew->options->jobs; i++)
    {
      WeftTrial *trial = crew->trials->pdata[i];
      if (trial->state == WEFT_TRIAL_WAITING && !trial->same)
        start (crew, trial, TRUE);
      halted = crew->interrupted || (crew->failed && !crew->options->keep_going);
    }
  if (crew->running == 0)
    g_main_loop_quit (crew->loop);
}

static gboolean
on_interrupt (gpointer data)
{
  Crew *crew = data;
  crew->interrupted = SIGINT;
  stop_children (crew, SIGTERM);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate (gpointer data)
{
  Crew *crew = data;
  crew->interrupted = SIGTERM;
  stop_children (crew, SIGTERM);
  return G_SOURCE_CONTINUE;
}

static void
settle (Crew *crew)
{
  for (guint i = 0; i < crew->trials->len; i++)
    {
      WeftTrial *trial = crew->trials->pdata[i], *same = trial->same;
      if (same)
        {
          trial->state = same->state;
          trial->step_seconds = same->step_seconds;
          for (guint n = 0; n < same->numbers->len; n++)
            {
              WeftTrialNumber number = g_array_index (same->numbers, WeftTrialNumber, n);
              number.name = g_strdup (number.name);
              g_array_append_val (trial->numbers, number);
            }
        }
      else if (trial->state == WEFT_TRIAL_WAITING)
        weft_trial_say_why (trial, WEFT_TRIAL_STOPPED,
                            g_strdup (crew->interrupted ? "not begun; the same command goes on"
                                                        : "not begun, as another run failed; --keep-going goes on"));
    }
}

int
weft_trials_run (const WeftTrialOptions *options, GPtrArray *trials)
{
  Crew crew = { .options = options, .trials = trials, .loop = g_main_loop_new (NULL, FALSE), .all = 0 };
  crew.program = g_file_read_link ("/proc/self/exe", NULL);
  if (!crew.program)
    crew.program = g_strdup ("weft");
  crew.children = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < trials->len; i++)
    crew.all += ((WeftTrial *) trials->pdata[i])->state == WEFT_TRIAL_WAITING && !((WeftTrial *) trials->pdata[i])->same;
  if (g_mkdir_with_parents (options->output, 0777) != 0)
    {
      fprintf (stderr, "%s can't be made: %s\n", options->output, g_strerror (errno));
      return WEFT_EXIT_INPUT;
    }
  guint sources[] = { g_unix_signal_add (SIGINT, on_interrupt, &crew), g_unix_signal_add (SIGTERM, on_terminate, &crew) };
  start_more (&crew);
  if (crew.running)
    g_main_loop_run (crew.loop);
  settle (&crew);
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  g_ptr_array_unref (crew.children);
  g_main_loop_unref (crew.loop);
  g_free (crew.program);
  return crew.interrupted ? 128 + crew.interrupted : crew.failed ? WEFT_EXIT_INPUT : 0;
}

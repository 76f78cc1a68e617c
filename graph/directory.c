/* Run directories.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include <weft/operator.h>

#include "contents.h"
#include "json.h"

struct _WeftDirectory
{
  char *path;
  int lock;
};

gboolean
weft_directory_is_run (const char *path)
{
  g_autofree char *file = g_build_filename (path, "pipeline.yaml", NULL);
  return g_file_test (path, G_FILE_TEST_IS_DIR) && g_file_test (file, G_FILE_TEST_IS_REGULAR);
}

static gboolean
lock (WeftDirectory *directory, GError **error)
{
  g_autofree char *path = weft_directory_file (directory, "lock");
  directory->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (directory->lock < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be opened: %s", path, g_strerror (errno));
      return FALSE;
    }
  char owner[32] = "";
  if (flock (directory->lock, LOCK_EX | LOCK_NB) == 0)
    {
      int n = g_snprintf (owner, sizeof owner, "%d\n", (int) getpid ());
      if (ftruncate (directory->lock, 0) == 0 && pwrite (directory->lock, owner, (gsize) n, 0) == n)
        return TRUE;
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be written: %s", path, g_strerror (errno));
      return FALSE;
    }
  int reason = errno;
  if (reason == EWOULDBLOCK && pread (directory->lock, owner, sizeof owner - 1, 0) > 0)
    g_strchomp (owner);
  if (reason == EWOULDBLOCK)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT,
                 "%s: process %s is at work in this run directory; wait for it, or choose another --output", directory->path,
                 *owner ? owner : "(unknown)");
  else
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be locked: %s", path, g_strerror (reason));
  return FALSE;
}

/* "best.safetensors.x7Pq0z": what a file is called until it is whole. */
static gboolean
is_unfinished (const char *name)
{
  static const char *const names[] = { "step-", "best.safetensors.", "info.json.", "pipeline.yaml." };
  const char *dot = strrchr (name, '.');
  if (!dot || strlen (dot) != strlen (".XXXXXX") || strspn (dot + 1, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS) != strlen ("XXXXXX"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (name, names[i]))
      return TRUE;
  return FALSE;
}

/* A process that was killed leaves what it was writing; nobody writes while the directory is locked by us. */
static void
remove_unfinished (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    {
      g_autofree char *file = is_unfinished (name) ? g_build_filename (path, name, NULL) : NULL;
      if (file)
        g_unlink (file);
    }
}

gboolean
weft_directory_is_empty (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name = NULL;
  while (folder && (name = g_dir_read_name (folder)))
    if (strcmp (name, "lock") != 0 && strcmp (name, "checkpoints") != 0 && !is_unfinished (name))
      break;
  return folder && !name;
}

WeftDirectory *
weft_directory_open (const char *path, GError **error)
{
  g_autoptr (WeftDirectory) directory = g_new0 (WeftDirectory, 1);
  directory->lock = -1;
  directory->path = g_strdup (path);
  g_autofree char *checkpoints = weft_directory_file (directory, "checkpoints");
  if (g_mkdir_with_parents (checkpoints, 0777) != 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be made: %s", checkpoints, g_strerror (errno));
      return NULL;
    }
  if (!lock (directory, error))
    return NULL;
  remove_unfinished (path);
  remove_unfinished (checkpoints);
  return g_steal_pointer (&directory);
}

void
weft_directory_close (WeftDirectory *directory)
{
  if (!directory)
    return;
  if (directory->lock >= 0)
    close (directory->lock);
  g_free (directory->path);
  g_free (directory);
}

const char *
weft_directory_path (const WeftDirectory *directory)
{
  return directory->path;
}

char *
weft_directory_file (const WeftDirectory *directory, const char *name)
{
  return g_build_filename (directory->path, name, NULL);
}

char *
weft_directory_checkpoint (const WeftDirectory *directory, guint64 step)
{
  return g_strdup_printf ("%s/checkpoints/step-%" G_GUINT64_FORMAT ".safetensors", directory->path, step);
}

static int
compare_steps (gconstpointer a, gconstpointer b)
{
  guint64 left = *(const guint64 *) a, right = *(const guint64 *) b;
  return left < right ? 1 : left > right ? -1 : 0;
}

GArray *
weft_directory_checkpoints (const WeftDirectory *directory)
{
  return weft_directory_checkpoints_of (directory->path);
}

GArray *
weft_directory_checkpoints_of (const char *path)
{
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autofree char *checkpoints = g_build_filename (path, "checkpoints", NULL);
  g_autoptr (GDir) folder = g_dir_open (checkpoints, 0, NULL);
  for (const char *name; folder && (name = g_dir_read_name (folder));)
    {
      char *end;
      if (!g_str_has_prefix (name, "step-"))
        continue;
      guint64 step = g_ascii_strtoull (name + strlen ("step-"), &end, 10);
      if (strcmp (end, ".safetensors") == 0)
        g_array_append_val (steps, step);
    }
  g_array_sort (steps, compare_steps);
  return steps;
}

gboolean
weft_directory_settle (WeftDirectory *directory, guint64 step, guint keep, GError **error)
{
  g_autofree char *target = g_strdup_printf ("checkpoints/step-%" G_GUINT64_FORMAT ".safetensors", step);
  g_autofree char *link = weft_directory_file (directory, "last.safetensors");
  g_autofree char *aside = weft_directory_file (directory, "last.safetensors.new");
  g_unlink (aside);
  if (symlink (target, aside) != 0 || g_rename (aside, link) != 0)
    {
      /* Some file systems have no links. The newest checkpoint is found by its name, the link is for people. */
      if (errno != EPERM && errno != EOPNOTSUPP)
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_SYSTEM, "%s: can't be made: %s", link, g_strerror (errno));
          return FALSE;
        }
    }
  g_autoptr (GArray) steps = weft_directory_checkpoints (directory);
  guint kept = 0;
  for (guint i = 0; i < steps->len; i++)
    {
      guint64 there = g_array_index (steps, guint64, i);
      g_autofree char *old = weft_directory_checkpoint (directory, there);
      if (there <= step && ++kept > keep)
        g_unlink (old);
    }
  return TRUE;
}

static JsonNode *
read_info (const char *path)
{
  g_autoptr (JsonParser) parser = weft_json_load (path, NULL);
  if (parser)
    return json_node_copy (json_parser_get_root (parser));
  JsonNode *root = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (root, json_object_new ());
  return root;
}

static gboolean
write_info (WeftDirectory *directory, JsonNode *root, GError **error)
{
  g_autofree char *path = weft_directory_file (directory, "info.json");
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  json_generator_set_pretty (generator, TRUE);
  json_generator_set_root (generator, root);
  g_autofree char *text = json_generator_to_data (generator, NULL);
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  return g_file_set_contents (path, line, -1, error);
}

static void
set_facts (JsonObject *entry, GHashTable *facts)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (facts), (GCompareFunc) strcmp);
  for (GList *name = names; name; name = name->next)
    json_object_set_string_member (entry, name->data, g_hash_table_lookup (facts, name->data));
}

static void
set_time (JsonObject *entry, const char *name)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *text = g_date_time_format (now, "%FT%TZ");
  json_object_set_string_member (entry, name, text);
}

static JsonArray *
starts_of (JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "starts");
  return node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

static JsonObject *
start_of (JsonArray *starts, guint i)
{
  JsonNode *node = json_array_get_element (starts, i);
  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/* Only a process that was killed, or a machine that stopped, leaves its entry so. */
static void
end_former (JsonArray *starts)
{
  guint n = json_array_get_length (starts);
  JsonObject *last = n ? start_of (starts, n - 1) : NULL;
  JsonNode *outcome = last ? json_object_get_member (last, "outcome") : NULL;
  if (outcome && JSON_NODE_HOLDS_VALUE (outcome) && g_strcmp0 (json_node_get_string (outcome), "running") == 0)
    json_object_set_string_member (last, "outcome", "ended without a word: killed, crashed, or the machine stopped");
}

gboolean
weft_directory_begin (WeftDirectory *directory, GHashTable *facts, const GPtrArray *contents, GError **error)
{
  g_autofree char *path = weft_directory_file (directory, "info.json");
  g_autoptr (JsonNode) root = read_info (path);
  JsonObject *object = json_node_get_object (root);
  if (!starts_of (object))
    json_object_set_array_member (object, "starts", json_array_new ());
  end_former (starts_of (object));
  JsonObject *entry = json_object_new ();
  set_time (entry, "started");
  json_object_set_string_member (entry, "outcome", "running");
  set_facts (entry, facts);
  if (contents)
    json_object_set_member (entry, "data", weft_contents_write (contents));
  json_array_add_object_element (starts_of (object), entry);
  return write_info (directory, root, error);
}

GPtrArray *
weft_directory_contents_of (const char *path)
{
  g_autofree char *file = g_build_filename (path, "info.json", NULL);
  g_autoptr (JsonNode) root = read_info (file);
  JsonArray *starts = starts_of (json_node_get_object (root));
  JsonNode *data = NULL;
  for (guint i = 0; starts && i < json_array_get_length (starts); i++)
    {
      JsonObject *entry = start_of (starts, i);
      JsonNode *first = entry ? json_object_get_member (entry, "first_step") : NULL;
      gboolean anew = first && JSON_NODE_HOLDS_VALUE (first) && g_strcmp0 (json_node_get_string (first), "0") == 0;
      if (entry && (anew || !data) && json_object_has_member (entry, "data"))
        data = json_object_get_member (entry, "data");
    }
  return weft_contents_read (data);
}

gboolean
weft_directory_end (WeftDirectory *directory, const char *outcome, GHashTable *facts, GError **error)
{
  g_autofree char *path = weft_directory_file (directory, "info.json");
  g_autoptr (JsonNode) root = read_info (path);
  JsonObject *object = json_node_get_object (root);
  JsonArray *starts = starts_of (object);
  if (!starts || json_array_get_length (starts) == 0)
    return TRUE;
  JsonObject *entry = start_of (starts, json_array_get_length (starts) - 1);
  set_time (entry, "finished");
  json_object_set_string_member (entry, "outcome", outcome);
  set_facts (entry, facts);
  return write_info (directory, root, error);
}

void
weft_directory_fail (WeftDirectory *directory, const char *reason)
{
  g_autoptr (GHashTable) facts = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *outcome = g_strdup_printf ("failed: %s", reason);
  if (weft_directory_begin (directory, facts, NULL, NULL))
    weft_directory_end (directory, outcome, facts, NULL);
}

/* A small run with an index of it, `weft serve`, and plain HTTP to talk to it.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

#define HTTP_IMAGES 20

/* A picture of one grey pixel. */
#define HTTP_PNG "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

/* Runs `weft ARGUMENTS`, words apart by single spaces and `\1` for spaces within. Returns: the exit status */
static inline int
http_weft (const char *folder, const char *arguments, char **output, char **message)
{
  g_autofree char *command = g_strdup_printf ("%s/weft %s", WEFT_TEST_BUILD_DIR, arguments), *out = NULL, *err = NULL;
  g_auto (GStrv) words = g_strsplit (command, " ", -1);
  int status = -1;
  for (char **word = words; *word != NULL; word++)
    g_strdelimit (*word, "\1", ' ');
  ck_assert (g_spawn_sync (folder, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, NULL));
  if (output != NULL)
    *output = g_steal_pointer (&out);
  if (message != NULL)
    *message = g_steal_pointer (&err);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static inline char *
http_well (const char *folder, const char *arguments)
{
  g_autofree char *message = NULL;
  char *output = NULL;
  int status = http_weft (folder, arguments, &output, &message);
  ck_assert_msg (status == 0, "weft %s: status %d: %s", arguments, status, message);
  return output;
}

/* Trains FOLDER/run and makes FOLDER/index of it, with a name and a picture for every image. */
static inline void
http_prepare (const char *folder)
{
  g_autoptr (GString) names = g_string_new (NULL);
  gsize length;
  g_autofree guchar *png = g_base64_decode (HTTP_PNG, &length);
  g_free (http_well (folder, "train scenes --output run --set embed=16 --set hidden=8 --set queue=64 --set batch=16 --set drop_epoch=3 "
                             "--set graphs.train.nodes.pairs.images=64 --set graphs.images.nodes.items.images=20 "
                             "--set graphs.captions.nodes.items.images=20 --set run.train.limit=8 --set epochs=1 --quiet"));
  for (guint i = 0; i < HTTP_IMAGES; i++)
    {
      g_autofree char *name = g_strdup_printf ("photo-%u.png", i), *file = g_strconcat ("photos/", name, NULL);
      g_string_append_printf (names, "%s\n", name);
      rig_write (folder, file, png, (gssize) length);
    }
  rig_write (folder, "names.txt", names->str, -1);
  g_free (http_well (folder, "index run --names names.txt --pictures photos -o index --scan int8 --quiet"));
}

/* The number that stands behind @before in what a program prints; 0 if it ends without. */
static inline guint
http_port_from (int out, const char *before)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char byte;
  while (read (out, &byte, 1) == 1)
    {
      const char *at = strstr (g_string_append_c (text, byte)->str, before);
      if (at != NULL && !g_ascii_isdigit (byte) && g_ascii_isdigit (at[strlen (before)]))
        return (guint) g_ascii_strtoull (at + strlen (before), NULL, 10);
    }
  return 0;
}

/* Starts a program that prints its port behind @before. */
static inline GPid
http_begin (const char *folder, char **words, const char *before, guint *port)
{
  GPid child = 0;
  int out = -1;
  g_autoptr (GError) error = NULL;
  gboolean begun =
      g_spawn_async_with_pipes (folder, words, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                                NULL, &child, NULL, &out, NULL, &error);
  ck_assert_msg (begun, "%s", error ? error->message : "");
  *port = http_port_from (out, before);
  return child;
}

static inline void
http_end (GPid child)
{
  kill (child, SIGTERM);
  waitpid (child, NULL, 0);
}

static inline GPid
http_serve (const char *folder, guint *port)
{
  g_autofree char *weft = g_build_filename (WEFT_TEST_BUILD_DIR, "weft", NULL);
  GPid child = http_begin (folder, (char *[]){ weft, "serve", "index", "--port", "0", NULL }, "127.0.0.1:", port);
  ck_assert_uint_ne (*port, 0);
  return child;
}

/* Whether a body of the length that the head says is there; not every server closes the connection. */
static inline gboolean
http_complete (const GByteArray *answer)
{
  g_autofree char *text = g_strndup ((const char *) answer->data, answer->len);
  const char *end = strstr (text, "\r\n\r\n"), *length = strcasestr (text, "\r\ncontent-length:");
  return end && length && length < end
         && answer->len >= (gsize) (end + 4 - text) + g_ascii_strtoull (length + strlen ("\r\ncontent-length:"), NULL, 10);
}

/* Sends @request as it is and reads the answer. Returns: the status; @body: (nullable), @length: (nullable) */
static inline guint
http_raw (guint port, const char *request, char **body, gsize *length)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection = g_socket_client_connect_to_host (client, "127.0.0.1", (guint16) port, NULL, &error);
  ck_assert_msg (connection != NULL, "%s", error ? error->message : "");
  g_autoptr (GByteArray) answer = g_byte_array_new ();
  guint8 buffer[4096];
  gssize n;
  ck_assert (
      g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request, strlen (request), NULL, NULL, NULL));
  while ((n = g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), buffer, sizeof buffer, NULL, NULL)) > 0)
    {
      g_byte_array_append (answer, buffer, (guint) n);
      if (http_complete (answer))
        break;
    }
  g_byte_array_append (answer, (const guint8 *) "", 1);
  const char *text = (const char *) answer->data, *end = strstr (text, "\r\n\r\n");
  if (body != NULL)
    {
      gsize head = end ? (gsize) (end + 4 - text) : answer->len - 1;
      *body = g_memdup2 (text + head, answer->len - head);
      if (length != NULL)
        *length = answer->len - 1 - head;
    }
  return g_str_has_prefix (text, "HTTP/1.") ? (guint) g_ascii_strtoull (text + 9, NULL, 10) : 0;
}

static inline guint
http_get (guint port, const char *path, char **body, gsize *length)
{
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n", path, port);
  return http_raw (port, request, body, length);
}

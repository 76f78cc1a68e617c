/* The page of `weft serve` in a real browser, driven by WebDriver: a query is typed, the right pictures are seen.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "http.h"

/* What WebDriver calls an element's reference. */
#define ELEMENT "element-6066-11e4-a52e-4f735466cecf"

#ifdef HAVE_SOUP
static const gboolean serves = TRUE;
#else
static const gboolean serves = FALSE;
#endif

static char *folder, *driver, *browser;

static void
setup (void)
{
  folder = rig_folder ();
  http_prepare (folder);
}

static void
teardown (void)
{
  rig_remove (folder);
  g_free (folder);
}

/* Sends one command. Returns: (transfer full): the `value` of the answer */
static JsonNode *
command (guint port, const char *method, const char *path, const char *json)
{
  g_autofree char *request = g_strdup_printf (
      "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", method,
      path, port, (int) strlen (json), json);
  g_autofree char *body = NULL;
  guint status = http_raw (port, request, &body, NULL);
  g_autoptr (JsonNode) node = json_from_string (body, NULL);
  ck_assert_msg (status == 200 && node != NULL, "%s %s: %u: %s", method, path, status, body);
  return json_node_copy (json_object_get_member (json_node_get_object (node), "value"));
}

static char *
begin_session (guint port)
{
  g_autofree char *json = g_strdup_printf ("{\"capabilities\": {\"alwaysMatch\": {\"goog:chromeOptions\": {\"binary\": \"%s\", \"args\": "
                                           "[\"--headless=new\", \"--no-sandbox\", \"--disable-gpu\", \"--disable-dev-shm-usage\", "
                                           "\"--user-data-dir=%s/browser\"]}}}}",
                                           browser, folder);
  g_autoptr (JsonNode) value = command (port, "POST", "/session", json);
  return g_strdup_printf ("/session/%s", json_object_get_string_member (json_node_get_object (value), "sessionId"));
}

static JsonNode *
send (guint port, const char *session, const char *path, const char *json)
{
  g_autofree char *full = g_strconcat (session, path, NULL);
  return command (port, "POST", full, json);
}

static char *
find_element (guint port, const char *session, const char *selector)
{
  g_autofree char *json = g_strdup_printf ("{\"using\": \"css selector\", \"value\": \"%s\"}", selector);
  g_autoptr (JsonNode) value = send (port, session, "/element", json);
  return g_strdup (json_object_get_string_member (json_node_get_object (value), ELEMENT));
}

/* Waits until @script, which returns text, returns some. */
static char *
wait_for (guint port, const char *session, const char *script)
{
  g_autofree char *json = g_strdup_printf ("{\"script\": \"%s\", \"args\": []}", script);
  for (guint i = 0; i < 600; i++)
    {
      g_autoptr (JsonNode) value = send (port, session, "/execute/sync", json);
      const char *text = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_string (value) : NULL;
      if (text != NULL && *text != '\0')
        return g_strdup (text);
      g_usleep (100000);
    }
  ck_abort_msg ("nothing came of %s", script);
}

static void
type_and_search (guint port, const char *session, const char *text)
{
  g_autofree char *field = find_element (port, session, "#query"), *button = find_element (port, session, "button");
  g_autofree char *keys = g_strdup_printf ("/element/%s/value", field), *click = g_strdup_printf ("/element/%s/click", button);
  g_autofree char *json = g_strdup_printf ("{\"text\": \"%s\"}", text);
  G_GNUC_UNUSED g_autoptr (JsonNode) typed = send (port, session, keys, json), clicked = send (port, session, click, "{}");
}

/* "photo-3.png 3\nphoto-7.png 7\n": what `weft search` finds, in order. */
static char *
expected_pictures (const char *words)
{
  g_autofree char *arguments = g_strdup_printf ("search index %s -k 20 --json", words), *answer = http_well (folder, arguments);
  g_autoptr (JsonNode) node = json_from_string (answer, NULL);
  JsonArray *hits = json_object_get_array_member (json_node_get_object (node), "hits");
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < json_array_get_length (hits); i++)
    {
      JsonObject *hit = json_array_get_object_element (hits, i);
      g_string_append_printf (text, "%s %d;", json_object_get_string_member (hit, "item"), (int) json_object_get_int_member (hit, "row"));
    }
  return g_string_free (text, FALSE);
}

/* The pictures that are shown, once all have been loaded; each is one pixel wide. */
#define SHOWN                                                                                                                              \
  "const all = [...document.querySelectorAll('#hits img')];"                                                                               \
  "return all.length && all.every(i => i.complete && i.naturalWidth === 1)"                                                                \
  " ? all.map(i => i.alt + ' ' + i.getAttribute('src').split('/')[1] + ';').join('') : ''"

START_TEST (a_query_shows_the_right_pictures)
{
  guint port, driver_port;
  GPid server = http_serve (folder, &port);
  GPid driving = http_begin (folder, (char *[]){ driver, "--port=0", NULL }, "successfully on port ", &driver_port);
  ck_assert_uint_ne (driver_port, 0);
  g_autofree char *session = begin_session (driver_port), *address = g_strdup_printf ("{\"url\": \"http://127.0.0.1:%u/\"}", port);
  G_GNUC_UNUSED g_autoptr (JsonNode) opened = send (driver_port, session, "/url", address);
  type_and_search (driver_port, session, "a large red circle");
  g_autofree char *shown = wait_for (driver_port, session, SHOWN), *expected = expected_pictures ("a\1large\1red\1circle");
  ck_assert_str_eq (shown, expected);
  g_autofree char *status = wait_for (driver_port, session, "return document.getElementById('status').textContent");
  ck_assert_str_eq (status, "20 of 20 images");
  /* A click on a picture shows its captions, as text. */
  g_autofree char *picture = find_element (driver_port, session, "#hits li"), *click = g_strdup_printf ("/element/%s/click", picture);
  G_GNUC_UNUSED g_autoptr (JsonNode) clicked = send (driver_port, session, click, "{}");
  g_autofree char *captions =
      wait_for (driver_port, session, "const one = document.querySelector('#hits li.text'); return one ? one.textContent : ''");
  ck_assert_uint_gt (strlen (captions), 6);
  G_GNUC_UNUSED g_autoptr (JsonNode) closed = command (driver_port, "DELETE", session, "");
  http_end (driving);
  http_end (server);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("page");
  TCase *tests = tcase_create ("page");
  driver = g_find_program_in_path ("chromedriver");
  browser = g_find_program_in_path ("chromium");
  tcase_add_unchecked_fixture (tests, setup, teardown);
  tcase_set_timeout (tests, 60);
  if (!serves)
    g_print ("the page of weft serve was not tested: this build has no libsoup\n");
  else if (driver != NULL && browser != NULL)
    tcase_add_test (tests, a_query_shows_the_right_pictures);
  else
    g_print ("the page of weft serve was not tested: there is no chromium or no chromedriver\n");
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}

/* Attribute values: YAML to an operator's own struct.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "attributes.h"

#include <math.h>
#include <string.h>

#include "places.h"

#define FIELD(type, attributes, attribute) (*(type *) ((char *) (attributes) + (attribute)->offset))

const WeftAttribute *
weft_operator_attribute (const WeftOperator *op, const char *name)
{
  for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
    if (strcmp (attribute->name, name) == 0)
      return attribute;
  return NULL;
}

static gpointer
own (WeftNode *node, gpointer memory)
{
  g_ptr_array_add (node->owned, memory);
  return memory;
}

static void
expected (const WeftNode *node, const WeftAttribute *attribute, const WeftValue *value, const char *what, WeftProblems *problems)
{
  static const char *const kinds[] = { "nothing", "text", "a list", "a map" };
  WeftValueKind kind = weft_value_kind (value);

  if (kind == WEFT_VALUE_SCALAR)
    weft_problems_add (problems, weft_value_mark (value), "attribute \"%s\" of %s `%s` must be %s, not %s\"%s\"", attribute->name,
                       node->op->name, node->path, what, weft_value_is_quoted (value) ? "the quoted text " : "", weft_value_text (value));
  else
    weft_problems_add (problems, weft_value_mark (value), "attribute \"%s\" of %s `%s` must be %s, not %s", attribute->name, node->op->name,
                       node->path, what, kinds[kind]);
}

static gboolean
in_range (const WeftNode *node, const WeftAttribute *attribute, const WeftValue *value, double number, WeftProblems *problems)
{
  if (attribute->minimum == attribute->maximum || (number >= attribute->minimum && number <= attribute->maximum))
    return TRUE;
  weft_problems_add (problems, weft_value_mark (value), "attribute \"%s\" of %s `%s` is %g; it must lie between %g and %g", attribute->name,
                     node->op->name, node->path, number, attribute->minimum, attribute->maximum);
  return FALSE;
}

void
weft_attribute_store_number (gpointer attributes, const WeftAttribute *attribute, double number)
{
  if (attribute->kind == WEFT_ATTRIBUTE_INTEGER)
    FIELD (gint64, attributes, attribute) = (gint64) llround (number);
  else if (attribute->kind == WEFT_ATTRIBUTE_BOOLEAN)
    FIELD (gboolean, attributes, attribute) = number != 0;
  else
    FIELD (double, attributes, attribute) = number;
}

static gboolean
store_scheduled (WeftNode *node, const WeftAttribute *attribute, WeftValue *value, WeftProblems *problems)
{
  WeftScheduled scheduled = { attribute, NULL };

  if (!attribute->scheduled)
    {
      expected (node, attribute, value, "a plain value (it takes no schedule)", problems);
      return FALSE;
    }
  scheduled.schedule = weft_schedule_new (value, attribute, problems);
  if (!scheduled.schedule)
    return FALSE;
  if (!node->scheduled)
    node->scheduled = g_array_new (FALSE, FALSE, sizeof (WeftScheduled));
  g_array_append_val (node->scheduled, scheduled);
  weft_attribute_store_number (node->attributes, attribute, weft_schedule_value (scheduled.schedule, 0, 0));
  return TRUE;
}

static gboolean
store_text (WeftNode *node, const WeftAttribute *attribute, const WeftValue *value, WeftProblems *problems)
{
  const char *text;

  if (weft_value_kind (value) != WEFT_VALUE_SCALAR)
    {
      expected (node, attribute, value, attribute->kind == WEFT_ATTRIBUTE_PATH ? "a path" : "text", problems);
      return FALSE;
    }
  text = weft_value_text (value);
  if (*text == '\0')
    FIELD (const char *, node->attributes, attribute) = NULL;
  else
    FIELD (const char *, node->attributes, attribute) =
        own (node, attribute->kind == WEFT_ATTRIBUTE_PATH ? weft_resolve_path (text, weft_value_mark (value)) : g_strdup (text));
  return TRUE;
}

static gboolean
store_choice (WeftNode *node, const WeftAttribute *attribute, const WeftValue *value, WeftProblems *problems)
{
  const char *text = weft_value_kind (value) == WEFT_VALUE_SCALAR ? weft_value_text (value) : NULL;
  g_autofree char *hint = NULL;

  for (int i = 0; text && attribute->choices[i]; i++)
    if (strcmp (attribute->choices[i], text) == 0)
      {
        FIELD (int, node->attributes, attribute) = i;
        return TRUE;
      }
  if (!text)
    {
      expected (node, attribute, value, "one word", problems);
      return FALSE;
    }
  hint = weft_suggestion (text, attribute->choices);
  weft_problems_add (problems, weft_value_mark (value), "attribute \"%s\" of %s `%s` can't be \"%s\"%s", attribute->name, node->op->name,
                     node->path, text, hint);
  return FALSE;
}

static gboolean
store_numbers (WeftNode *node, const WeftAttribute *attribute, const WeftValue *value, WeftProblems *problems)
{
  WeftNumbers *numbers = &FIELD (WeftNumbers, node->attributes, attribute);
  guint n = weft_value_length (value);
  const char **names;
  double *values;

  if (weft_value_kind (value) == WEFT_VALUE_SCALAR && *weft_value_text (value) == '\0')
    return TRUE;
  if (weft_value_kind (value) != WEFT_VALUE_MAP)
    {
      expected (node, attribute, value, "a map from names to numbers", problems);
      return FALSE;
    }
  names = own (node, g_new0 (const char *, n + 1));
  values = own (node, g_new0 (double, n + 1));
  for (guint i = 0; i < n; i++)
    {
      names[i] = own (node, g_strdup (weft_value_key (value, i)));
      if (!weft_value_get_number (weft_value_item (value, i), &values[i]))
        {
          expected (node, attribute, weft_value_item (value, i), "a map from names to numbers", problems);
          return FALSE;
        }
    }
  numbers->n = n;
  numbers->names = names;
  numbers->numbers = values;
  return TRUE;
}

static gboolean
store_strings (WeftNode *node, const WeftAttribute *attribute, const WeftValue *value, WeftProblems *problems)
{
  WeftValueKind kind = weft_value_kind (value);
  guint n = kind == WEFT_VALUE_LIST ? weft_value_length (value) : kind == WEFT_VALUE_SCALAR && *weft_value_text (value) != '\0' ? 1 : 0;
  const char **strings = own (node, g_new0 (const char *, n + 1));

  for (guint i = 0; i < n; i++)
    {
      const WeftValue *item = kind == WEFT_VALUE_LIST ? weft_value_item (value, i) : value;
      if (weft_value_kind (item) != WEFT_VALUE_SCALAR)
        {
          expected (node, attribute, item, "a list of texts", problems);
          return FALSE;
        }
      strings[i] = own (node, g_strdup (weft_value_text (item)));
    }
  FIELD (const char *const *, node->attributes, attribute) = strings;
  return kind == WEFT_VALUE_LIST || kind == WEFT_VALUE_SCALAR || (expected (node, attribute, value, "a list of texts", problems), FALSE);
}

static gboolean
store_value (WeftNode *node, const WeftAttribute *attribute, WeftValue *value, WeftProblems *problems)
{
  gint64 integer;
  double number;
  gboolean boolean;

  if (weft_value_is_unknown (value))
    return FALSE;
  if (weft_value_kind (value) == WEFT_VALUE_MAP && attribute->kind <= WEFT_ATTRIBUTE_BOOLEAN)
    return store_scheduled (node, attribute, value, problems);
  switch (attribute->kind)
    {
    case WEFT_ATTRIBUTE_INTEGER:
      if (!weft_value_get_integer (value, &integer))
        break;
      FIELD (gint64, node->attributes, attribute) = integer;
      return in_range (node, attribute, value, (double) integer, problems);
    case WEFT_ATTRIBUTE_NUMBER:
      if (!weft_value_get_number (value, &number))
        break;
      FIELD (double, node->attributes, attribute) = number;
      return in_range (node, attribute, value, number, problems);
    case WEFT_ATTRIBUTE_BOOLEAN:
      if (!weft_value_get_boolean (value, &boolean))
        break;
      FIELD (gboolean, node->attributes, attribute) = boolean;
      return TRUE;
    case WEFT_ATTRIBUTE_CHOICE:
      return store_choice (node, attribute, value, problems);
    case WEFT_ATTRIBUTE_NUMBERS:
      return store_numbers (node, attribute, value, problems);
    case WEFT_ATTRIBUTE_STRINGS:
      return store_strings (node, attribute, value, problems);
    case WEFT_ATTRIBUTE_STRING:
    case WEFT_ATTRIBUTE_PATH:
      return store_text (node, attribute, value, problems);
    }
  expected (node, attribute, value,
            attribute->kind == WEFT_ATTRIBUTE_INTEGER   ? "an integer"
            : attribute->kind == WEFT_ATTRIBUTE_BOOLEAN ? "true or false"
                                                        : "a number",
            problems);
  return FALSE;
}

gboolean
weft_attributes_store (WeftNode *node, const WeftValue *given, WeftProblems *problems)
{
  const WeftOperator *op = node->op;
  gboolean good = TRUE;

  if (op->attributes_size && !node->attributes)
    node->attributes = g_malloc0 (op->attributes_size);
  for (const WeftAttribute *attribute = op->attributes; attribute && attribute->name; attribute++)
    {
      WeftValue *value = given ? weft_value_lookup (given, attribute->name) : NULL;
      if (value && weft_value_kind (value) != WEFT_VALUE_NULL)
        good &= store_value (node, attribute, value, problems);
      else if (attribute->fallback)
        {
          g_autoptr (WeftValue) fallback = weft_value_new_scalar (attribute->fallback, FALSE, (WeftMark){ 0 });
          good &= store_value (node, attribute, fallback, problems);
        }
      else
        {
          weft_problems_add (problems, node->mark, "%s `%s` needs attribute \"%s\": %s", op->name, node->path, attribute->name,
                             attribute->meaning ? attribute->meaning : "");
          good = FALSE;
        }
    }
  if (good && op->check)
    {
      g_autofree char *wrong = op->check (node->attributes);
      if (wrong)
        weft_problems_add (problems, node->mark, "%s `%s`: %s", op->name, node->path, wrong);
      good = !wrong;
    }
  return good;
}

gboolean
weft_attribute_is_written (const WeftAttribute *attribute)
{
  return attribute->kind == WEFT_ATTRIBUTE_PATH && g_strcmp0 (attribute->unit, WEFT_WRITTEN) == 0;
}

char *
weft_attribute_print (const WeftAttribute *attribute, gconstpointer attributes)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  const char *text;

  switch (attribute->kind)
    {
    case WEFT_ATTRIBUTE_INTEGER:
      return g_strdup_printf ("%" G_GINT64_FORMAT, FIELD (const gint64, attributes, attribute));
    case WEFT_ATTRIBUTE_NUMBER:
      return g_strdup (g_ascii_formatd (number, sizeof number, "%.9g", FIELD (const double, attributes, attribute)));
    case WEFT_ATTRIBUTE_BOOLEAN:
      return g_strdup (FIELD (const gboolean, attributes, attribute) ? "true" : "false");
    case WEFT_ATTRIBUTE_CHOICE:
      return g_strdup (attribute->choices[FIELD (const int, attributes, attribute)]);
    case WEFT_ATTRIBUTE_STRING:
    case WEFT_ATTRIBUTE_PATH:
      text = FIELD (const char *const, attributes, attribute);
      return g_strdup (text ? text : "");
    case WEFT_ATTRIBUTE_NUMBERS:
    case WEFT_ATTRIBUTE_STRINGS:
      break;
    }
  return g_strdup ("…");
}

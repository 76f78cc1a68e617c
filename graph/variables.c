/* Variables in scalars: `$name`, `${name}/x`, `${env:NAME:-default}`, `$$` for a dollar sign.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "variables.h"

#include <string.h>

#include "compose.h"

/* Variables that hold variables multiply: these bounds keep a page of text from becoming gigabytes. */
#define DEEPEST 64
#define MOST_VALUES 1000000
#define LONGEST_TEXT (1 << 20)

typedef struct
{
  guint64 size;
  guint height;
} Measure;

/**
 * Context:
 * @names: (nullable): what names stand for; not resolved themselves if @resolved is there
 * @resolved: (nullable): values found so far, by name
 * @measures: size and height of the values that names stand for
 * @stack: names under way, outermost first
 */
typedef struct
{
  const WeftValue *names;
  WeftValue *resolved;
  GHashTable *measures;
  GPtrArray *stack;
  const char *what;
  gboolean environment;
  guint64 values;
  gboolean overflow;
  WeftProblems *problems;
} Context;

static WeftValue *substitute (Context *context, WeftValue *value, guint depth);

static gsize
name_length (const char *text)
{
  gsize n = 0;
  while (g_ascii_isalpha (text[n]) || text[n] == '_' || (n && g_ascii_isdigit (text[n])))
    n++;
  return n;
}

gboolean
weft_variables_is_name (const char *text)
{
  return *text && text[name_length (text)] == '\0';
}

/* Shared parts are walked as often as they occur, but not beyond the bounds. */
static void
measure (const WeftValue *value, guint depth, Measure *result)
{
  result->height = MAX (result->height, depth);
  for (guint i = 0; i < weft_value_length (value) && result->size <= MOST_VALUES && depth <= DEEPEST; i++)
    measure (weft_value_item (value, i), depth + 1, result);
  result->size++;
}

static Measure
measure_of (Context *context, const char *name, const WeftValue *value)
{
  Measure *found = g_hash_table_lookup (context->measures, name);
  if (!found)
    {
      found = g_new0 (Measure, 1);
      measure (value, 0, found);
      g_hash_table_insert (context->measures, g_strdup (name), found);
    }
  return *found;
}

static gboolean
count (Context *context, WeftMark mark, guint64 size, guint depth)
{
  context->values += size;
  if (context->overflow || (context->values <= MOST_VALUES && depth <= DEEPEST))
    return !context->overflow;
  context->overflow = TRUE;
  if (depth > DEEPEST)
    weft_problems_add (context->problems, mark, "nested more than %d levels deep once variables are replaced", DEEPEST);
  else
    weft_problems_add (context->problems, mark, "more than %d values once variables are replaced", MOST_VALUES);
  return FALSE;
}

static void
report_unknown (Context *context, WeftMark mark, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; context->names && i < weft_value_length (context->names); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (context->names, i));
  gboolean none = names->len == 0;
  g_ptr_array_add (names, NULL);
  g_autofree char *suggestion = weft_suggestion (name, (const char *const *) names->pdata);
  weft_problems_add (context->problems, mark, "unknown %s \"$%s\"%s%s", context->what, name, suggestion, none ? "; there are none" : "");
}

static void
report_cycle (Context *context, WeftMark mark, const char *name)
{
  g_autoptr (GString) way = g_string_new (NULL);
  guint i = 0;
  while (strcmp (context->stack->pdata[i], name) != 0)
    i++;
  for (; i < context->stack->len; i++)
    g_string_append_printf (way, "%s → ", (const char *) context->stack->pdata[i]);
  weft_problems_add (context->problems, mark, "variable \"%s\" is defined by itself: %s%s", name, way->str, name);
}

/* Returns: (transfer none) (nullable): what @name stands for; %NULL if reported */
static WeftValue *
lookup (Context *context, const char *name, WeftMark mark)
{
  WeftValue *value = context->resolved ? weft_value_lookup (context->resolved, name) : NULL;
  if (value)
    return value;
  value = context->names ? weft_value_lookup (context->names, name) : NULL;
  if (!value)
    {
      report_unknown (context, mark, name);
      return NULL;
    }
  if (!context->resolved)
    return value;
  if (g_ptr_array_find_with_equal_func (context->stack, name, g_str_equal, NULL))
    {
      report_cycle (context, mark, name);
      return NULL;
    }
  if (context->stack->len >= DEEPEST)
    {
      weft_problems_add (context->problems, mark, "variables refer to variables more than %d deep", DEEPEST);
      return NULL;
    }
  g_ptr_array_add (context->stack, (gpointer) name);
  WeftValue *final = substitute (context, value, 1);
  g_ptr_array_set_size (context->stack, (int) context->stack->len - 1);
  weft_value_set (context->resolved, name, mark, final);
  return final;
}

/* Length of `{…}` at @text, braces inside balanced; 0 if it isn't closed. */
static gsize
braced_length (const char *text)
{
  guint open = 0;
  for (gsize i = 0; text[i]; i++)
    {
      open += text[i] == '{';
      if (text[i] == '}' && --open == 0)
        return i + 1;
    }
  return 0;
}

/* `env:NAME` and `env:NAME:-default`, without braces. */
static WeftValue *
read_environment (Context *context, const char *expression, WeftMark mark, guint depth)
{
  const char *start = expression + strlen ("env:");
  gsize length = name_length (start);
  g_autofree char *name = g_strndup (start, length);
  const char *rest = start + length;
  if (length == 0 || (*rest && !g_str_has_prefix (rest, ":-")))
    {
      weft_problems_add (context->problems, mark, "\"${%s}\": expected ${env:NAME} or ${env:NAME:-default}", expression);
      return NULL;
    }
  if (!context->environment)
    {
      weft_problems_add (context->problems, mark, "\"${%s}\": modules can't read the environment; hand it to an attribute", expression);
      return NULL;
    }
  const char *text = g_getenv (name);
  if (text && *text)
    {
      if (!g_utf8_validate (text, -1, NULL))
        {
          weft_problems_add (context->problems, mark, "the value of %s in the environment is not UTF-8", name);
          return NULL;
        }
      /* Who sets a relative path in the environment means it from where the command runs, so the document's mark won't do. */
      g_autofree char *origin = g_strconcat ("env:", name, NULL);
      return weft_value_new_scalar (text, FALSE, (WeftMark){ g_intern_string (origin), 0, 0 });
    }
  if (!*rest)
    {
      weft_problems_add (context->problems, mark, "the environment has no %s; set it, or write ${env:%s:-default}", name, name);
      return NULL;
    }
  g_autoptr (WeftValue) fallback = weft_value_new_scalar (rest + strlen (":-"), FALSE, mark);
  return count (context, mark, 1, depth + 1) ? substitute (context, fallback, depth + 1) : NULL;
}

/* Reads the reference after a `$` at @text. Returns: (transfer full) (nullable): %NULL if reported */
static WeftValue *
read_reference (Context *context, const char *text, gsize *length, WeftMark mark, guint depth, Measure *measured)
{
  g_autofree char *name = NULL;
  *measured = (Measure){ 1, 0 };
  *length = *text == '{' ? braced_length (text) : name_length (text);
  if (*length == 0)
    {
      weft_problems_add (context->problems, mark, "\"$%s\": \"${\" without \"}\"", text);
      return NULL;
    }
  name = *text == '{' ? g_strndup (text + 1, *length - 2) : g_strndup (text, *length);
  if (*text == '{' && g_str_has_prefix (name, "env:"))
    return read_environment (context, name, mark, depth);
  if (!weft_variables_is_name (name))
    {
      weft_problems_add (context->problems, mark, "\"${%s}\": names are letters, digits and _ (a dollar sign is written $$)", name);
      return NULL;
    }
  WeftValue *value = lookup (context, name, mark);
  if (!value)
    return NULL;
  *measured = measure_of (context, name, value);
  return weft_value_ref (value);
}

static gboolean
append_value (Context *context, GString *out, const char *reference, gsize length, const WeftValue *value, WeftMark mark)
{
  static const char *const kinds[] = { "null", "a scalar", "a list", "a map" };
  if (weft_value_kind (value) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (context->problems, mark, "\"$%.*s\" is %s and can't be part of a text; it can only stand alone", (int) length,
                         reference, kinds[weft_value_kind (value)]);
      return FALSE;
    }
  g_string_append (out, weft_value_text (value));
  if (out->len <= LONGEST_TEXT)
    return TRUE;
  weft_problems_add (context->problems, mark, "a text of more than %d bytes once variables are replaced", LONGEST_TEXT);
  return FALSE;
}

/* A relative path belongs to where its beginning was written. */
static WeftMark
mark_of_text (WeftMark mark, const WeftValue *first, const char *text)
{
  return first && weft_value_mark (first).file != mark.file && !g_path_is_absolute (text) ? weft_value_mark (first) : mark;
}

static gboolean
is_reference (const char *text)
{
  return text[0] == '$' && (text[1] == '{' || name_length (text + 1));
}

/* A scalar that is one reference becomes the value as it is; anything else stays a scalar. After a problem, it is unknown. */
static WeftValue *
substitute_text (Context *context, WeftValue *value, guint depth)
{
  const char *text = weft_value_text (value);
  WeftMark mark = weft_value_mark (value);
  if (!strchr (text, '$'))
    return weft_value_ref (value);
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (WeftValue) first = NULL;
  for (const char *at = text; *at;)
    {
      if (!is_reference (at))
        {
          at += at[0] == '$' && at[1] == '$';
          g_string_append_c (out, *at++);
          continue;
        }
      gsize length;
      Measure measured;
      g_autoptr (WeftValue) found = read_reference (context, at + 1, &length, mark, depth, &measured);
      if (!found)
        return weft_value_new_unknown (text, mark);
      if (at == text && at[1 + length] == '\0')
        return count (context, mark, measured.size, depth + measured.height) ? g_steal_pointer (&found) : weft_value_ref (value);
      if (!append_value (context, out, at + 1, length, found, mark))
        return weft_value_new_unknown (text, mark);
      if (at == text)
        first = g_steal_pointer (&found);
      at += 1 + length;
    }
  return weft_value_new_scalar (out->str, weft_value_is_quoted (value), mark_of_text (mark, first, out->str));
}

/* What holds no variables is shared, not copied. An entry whose variable is null is left out. */
static WeftValue *
substitute (Context *context, WeftValue *value, guint depth)
{
  WeftValueKind kind = weft_value_kind (value);
  WeftMark mark = weft_value_mark (value);
  if (kind == WEFT_VALUE_NULL || !count (context, mark, 1, depth))
    return weft_value_ref (value);
  if (kind == WEFT_VALUE_SCALAR)
    return substitute_text (context, value, depth);

  gboolean changed = FALSE;
  g_autoptr (WeftValue) result = kind == WEFT_VALUE_MAP ? weft_value_new_map (mark) : weft_value_new_list (mark);
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      WeftValue *item = weft_value_item (value, i), *replaced = substitute (context, item, depth + 1);
      changed |= replaced != item;
      if (replaced != item && weft_value_kind (replaced) == WEFT_VALUE_NULL)
        weft_value_unref (replaced);
      else if (kind == WEFT_VALUE_MAP)
        weft_value_set (result, weft_value_key (value, i), weft_value_key_mark (value, i), replaced);
      else
        weft_value_append (result, replaced);
    }
  return changed ? g_steal_pointer (&result) : weft_value_ref (value);
}

static Context
context_new (const WeftValue *names, const char *what, gboolean environment, WeftProblems *problems)
{
  return (Context){ .names = names,
                    .measures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
                    .stack = g_ptr_array_new (),
                    .what = what,
                    .environment = environment,
                    .problems = problems };
}

static void
context_clear (Context *context)
{
  g_hash_table_unref (context->measures);
  g_ptr_array_unref (context->stack);
  g_clear_pointer (&context->resolved, weft_value_unref);
}

WeftValue *
weft_substitute (WeftValue *value, const WeftValue *names, const char *what, WeftProblems *problems)
{
  Context context = context_new (names, what, FALSE, problems);
  WeftValue *result = substitute (&context, value, 0);
  context_clear (&context);
  return result;
}

WeftValue *
weft_variables_replace (WeftValue *value, const WeftValue *vars, WeftProblems *problems)
{
  Context context = context_new (vars, "variable", TRUE, problems);
  WeftValue *result = substitute (&context, value, 0);
  context_clear (&context);
  return result;
}

WeftValue *
weft_variables_resolve (const WeftValue *vars, WeftProblems *problems)
{
  Context context = context_new (vars, "variable", TRUE, problems);
  context.resolved = weft_value_new_map (weft_value_mark (vars));
  WeftValue *ordered = weft_value_new_map (weft_value_mark (vars));
  for (guint i = 0; i < weft_value_length (vars); i++)
    {
      const char *name = weft_value_key (vars, i);
      WeftMark mark = weft_value_key_mark (vars, i);
      if (!weft_variables_is_name (name))
        weft_problems_add (problems, mark, "\"%s\" can't name a variable: names are letters, digits and _", name);
      WeftValue *value = lookup (&context, name, mark);
      weft_value_set (ordered, name, mark, weft_value_ref (value ? value : weft_value_item (vars, i)));
    }
  context_clear (&context);
  return ordered;
}

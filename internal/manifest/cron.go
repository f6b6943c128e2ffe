package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cronField is what one of the five fields of a cron expression may hold.
type cronField struct {
	name     string
	min, max int
	names    []string // for min, min+1, …
}

var cronFields = []cronField{
	{name: "minute", max: 59},
	{name: "hour", max: 23},
	{name: "day of month", min: 1, max: 31},
	{name: "month", min: 1, max: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
	{name: "day of week", max: 7, names: strings.Fields("sun mon tue wed thu fri sat")},
}

var cronDescriptors = strings.Fields("@yearly @annually @monthly @weekly @daily @midnight @hourly")

// CheckCron returns what is wrong with the syntax of a cron expression, or nil.
// It is either five fields (minute, hour, day of month, month, day of week), each a list
// of *, a value or a range, with an optional /step, months and days also by
// their first three letters, Sunday 0 or 7; or @yearly, @annually, @monthly, @weekly, @daily,
// @midnight or @hourly; or @every with a duration of at least a second.
// It does not notice a day that never comes, such as 31 February.
func CheckCron(expr string) error {
	if after, ok := strings.CutPrefix(expr, "@every "); ok {
		d, err := time.ParseDuration(strings.TrimSpace(after))
		if err != nil || d < time.Second {
			return errors.New("@every needs a duration of at least 1s")
		}
		return nil
	}
	if strings.HasPrefix(expr, "@") {
		if !slices.Contains(cronDescriptors, expr) {
			return fmt.Errorf("the names are %s and @every", strings.Join(cronDescriptors, ", "))
		}
		return nil
	}
	fields := strings.Fields(expr)
	if len(fields) != len(cronFields) {
		return fmt.Errorf("it has %d of 5 fields", len(fields))
	}
	for i, f := range cronFields {
		for part := range strings.SplitSeq(fields[i], ",") {
			if !f.matches(part) {
				return fmt.Errorf("%q is no %s", cut(part), f.name)
			}
		}
	}
	return nil
}

func (f cronField) matches(part string) bool {
	values, step, stepped := strings.Cut(part, "/")
	if stepped {
		if n, err := strconv.ParseUint(step, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	if values == "*" {
		return true
	}
	first, last, ranged := strings.Cut(values, "-")
	a, ok := f.value(first)
	if !ok || !ranged {
		return ok
	}
	b, ok := f.value(last)
	return ok && a <= b
}

func (f cronField) value(s string) (int, bool) {
	if i := slices.Index(f.names, strings.ToLower(s)); i >= 0 {
		return f.min + i, true
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && int(n) >= f.min && int(n) <= f.max
}

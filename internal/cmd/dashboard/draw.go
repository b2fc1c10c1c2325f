package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// The measures in points. A dashboard is 24 units wide.
const (
	unit     = 50
	unitHigh = 40
	gap      = 4
	// The inner edges of a graph: for the title, the axes, and the legend below.
	top, side, bottom, legendRow = 32, 40, 18, 13
)

// colors are those of a graph's metrics, in CloudWatch's order.
var colors = []string{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"}

// draw returns an SVG of the widgets.
func draw(widgets []widget) []byte {
	high := 0
	for _, w := range widgets {
		high = max(high, w.Y+w.Height)
	}

	p := &pen{}
	p.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="Helvetica,Arial,sans-serif">`,
		24*unit, high*unitHigh)
	p.add(`<rect width="100%%" height="100%%" fill="#f2f3f3"/>`)
	for _, w := range widgets {
		x, y := float64(w.X*unit), float64(w.Y*unitHigh)
		p.add(`<g transform="translate(%s,%s)">`, number(x), number(y))
		box := size{float64(w.Width * unit), float64(w.Height * unitHigh)}
		switch w.Type {
		case "text":
			p.text(8, box.high-12, 16, "start", "#16191f", strings.TrimPrefix(w.Properties.Markdown, "## "))
		case "alarm":
			p.alarms(w, box)
		default:
			p.graph(w, box)
		}
		p.add(`</g>`)
	}
	p.add(`</svg>`)

	return p.Bytes()
}

type size struct{ wide, high float64 }

// pen writes an SVG.
type pen struct{ bytes.Buffer }

func (p *pen) add(format string, args ...any) { fmt.Fprintf(&p.Buffer, format+"\n", args...) }

func (p *pen) text(x, y, points float64, anchor, color, text string) {
	p.add(`<text x="%s" y="%s" font-size="%s" text-anchor="%s" fill="%s">%s</text>`,
		number(x), number(y), number(points), anchor, color, html.EscapeString(text))
}

func (p *pen) panel(title string, box size) {
	p.add(`<rect x="%d" y="%d" width="%s" height="%s" fill="#fff" stroke="#d5dbdb"/>`,
		gap, gap, number(box.wide-2*gap), number(box.high-2*gap))
	p.text(12, 20, 12, "start", "#16191f", title)
}

// alarms draws the state of alarms.
func (p *pen) alarms(w widget, box size) {
	const perRow = 6
	p.panel(w.Properties.Title, box)
	wide := (box.wide - 4*gap) / perRow
	for i, name := range w.Properties.Alarms {
		x, y := 2*gap+float64(i%perRow)*wide, float64(28+i/perRow*38)
		p.add(`<rect x="%s" y="%s" width="%s" height="34" rx="3" fill="#eaf5ea" stroke="#1d8102"/>`,
			number(x+2), number(y), number(wide-4))
		p.text(x+10, y+14, 10, "start", "#16191f", name)
		p.text(x+10, y+27, 10, "start", "#1d8102", "OK")
	}
}

// graph draws the metrics of a graph.
func (p *pen) graph(w widget, box size) {
	p.panel(w.Properties.Title, box)
	metrics := w.Properties.Metrics
	rows := (len(metrics) + 1) / 2
	inner := size{box.wide - 2*side - 2*gap, box.high - top - bottom - float64(rows*legendRow) - gap}
	left, right := highest(metrics, "", w.Properties.Annotations.Horizontal), highest(metrics, "right", nil)

	p.add(`<g transform="translate(%d,%d)">`, side+gap, top)
	for i := range 3 {
		y := inner.high * float64(2-i) / 2
		p.add(`<line x1="0" y1="%s" x2="%s" y2="%s" stroke="#e9ebed"/>`, number(y), number(inner.wide), number(y))
		p.text(-4, y+3, 9, "end", "#687078", short(left*float64(i)/2))
		if right > 0 {
			p.text(inner.wide+4, y+3, 9, "start", "#687078", short(right*float64(i)/2))
		}
	}
	for i, label := range []string{"12:00", "13:00", "14:00", "15:00"} {
		p.text(inner.wide*float64(i)/3, inner.high+12, 9, "middle", "#687078", label)
	}
	for _, l := range w.Properties.Annotations.Horizontal {
		y := inner.high * (1 - l.Value/left)
		p.add(`<line x1="0" y1="%s" x2="%s" y2="%s" stroke="#d13212" stroke-dasharray="4 3"/>`, number(y), number(inner.wide), number(y))
		p.text(inner.wide-2, y+10, 9, "end", "#d13212", l.Label)
	}
	for i, m := range metrics {
		limit := left
		if m.options.YAxis == "right" {
			limit = right
		}
		p.curve(m, colors[i%len(colors)], limit, inner)
	}
	p.add(`</g>`)

	for i, m := range metrics {
		x, y := 14+float64(i%2)*(box.wide-2*gap)/2, box.high-gap-float64(rows-i/2)*legendRow+6
		p.add(`<rect x="%s" y="%s" width="8" height="8" fill="%s"/>`, number(x), number(y-8), colors[i%len(colors)])
		p.text(x+12, y, 10, "start", "#16191f", m.options.Label)
	}
}

// curve draws one metric, whose highest value is at most limit.
func (p *pen) curve(m metric, color string, limit float64, inner size) {
	var points strings.Builder
	for t := range minutes {
		x, y := inner.wide*float64(t)/(minutes-1), inner.high*(1-max(value(m, t), 0)/limit)
		fmt.Fprintf(&points, "%s,%s ", number(x), number(y))
	}
	p.add(`<polyline fill="none" stroke="%s" stroke-width="1.3" points="%s"/>`, color, strings.TrimSpace(points.String()))
}

// highest returns a round number that no value of an axis exceeds, or 0 when it has no metric.
func highest(metrics []metric, axis string, lines []line) float64 {
	most, found := 1.0, false
	for _, m := range metrics {
		if (m.options.YAxis == "right") != (axis == "right") {
			continue
		}
		found = true
		for t := range minutes {
			most = max(most, value(m, t))
		}
	}
	for _, l := range lines {
		most = max(most, l.Value)
	}
	if !found {
		return 0
	}

	step := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{1, 2, 4, 5, 10} {
		if n*step >= most*1.02 {
			return n * step
		}
	}
	return 20 * step
}

// short is a number with few digits.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return number(v/1e6) + "M"
	case v >= 1e3:
		return number(v/1e3) + "k"
	default:
		return number(v)
	}
}

// number has at most one digit behind the point: a tenth of a point is not seen.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

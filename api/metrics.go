package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"waptwua/server"
)

// metrics serves the fleet's figures in Prometheus' form: with a role, or
// from this machine.
func (a *Administration) metrics() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &fleetCollector{a.srv.Fleet, a.log})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// fleetCollector reads the figures when it is asked.
type fleetCollector struct {
	fleet *server.Fleet
	log   *slog.Logger
}

var (
	descHosts = prometheus.NewDesc("waptwua_hosts", "Enrolled hosts by what is known of them", []string{"state"}, nil)
	descPairs = prometheus.NewDesc("waptwua_updates_on_hosts", "Pairs of update and host by status", []string{"status"}, nil)
	descFiles = prometheus.NewDesc("waptwua_files", "Payload files", []string{"state"}, nil)
	descBytes = prometheus.NewDesc("waptwua_file_bytes", "Sizes of payload files", []string{"state"}, nil)
	descAge   = prometheus.NewDesc("waptwua_archive_created_timestamp_seconds", "When the published scan archive was made", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *fleetCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descHosts, descPairs, descFiles, descBytes, descAge} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *fleetCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := c.fleet.Summary(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "figures not read", "err", err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for state, n := range map[string]int{"compliant": s.Hosts.Compliant, "wanting": s.Hosts.Wanting, "silent": s.Hosts.Silent,
		"never_scanned": s.Hosts.NeverScanned, "scan_failed": s.Hosts.ScanFailed, "awaiting": s.Hosts.Awaiting, "refused": s.Hosts.Refused} {
		gauge(descHosts, float64(n), state)
	}
	for status, n := range s.OnHosts {
		gauge(descPairs, float64(n), string(status))
	}
	for state, n := range map[string]int{"needed": s.Files.Needed, "missing": s.Files.Missing, "present": s.Files.Present} {
		gauge(descFiles, float64(n), state)
	}
	for state, n := range map[string]int64{"needed": s.Files.NeededBytes, "missing": s.Files.MissingBytes, "present": s.Files.PresentBytes} {
		gauge(descBytes, float64(n), state)
	}
	if s.Archive != nil && !s.Archive.Created.IsZero() {
		gauge(descAge, float64(s.Archive.Created.Unix()))
	}
}

package catalogdb

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"waptwua/catalog"
)

// graphPartBytes is how much of the graph a row holds. In small parts neither
// writing nor reading it takes memory twice.
const graphPartBytes = 256 << 10

// graph writes the graph.
func (w *writer) graph(ctx context.Context, g *catalog.Graph) error {
	out := bufio.NewWriterSize(&graphParts{ctx: ctx, tx: w.tx}, graphPartBytes)
	_, err := g.WriteTo(out)
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("the update graph: %w", err)
	}
	return nil
}

// graphParts writes rows of the table graph.
type graphParts struct {
	ctx  context.Context //nolint:containedctx // lives for one call of graph
	tx   *sql.Tx
	part int
	row  []byte
}

func (p *graphParts) Write(data []byte) (n int, err error) {
	for n < len(data) {
		part := data[n:min(n+graphPartBytes, len(data))]
		p.row = binary.LittleEndian.AppendUint32(p.row[:0], castagnoli(part))
		p.row = append(p.row, part...)
		if _, err := p.tx.ExecContext(p.ctx, "INSERT INTO graph (part, data) VALUES (?, ?)", p.part, p.row); err != nil {
			return n, err
		}
		p.part++
		n += len(part)
	}
	return n, nil
}

// loadGraph reads the graph.
func (c *Catalogue) loadGraph(ctx context.Context) error {
	var parts int
	var size sql.NullInt64
	if err := c.db.QueryRowContext(ctx, "SELECT count(*), sum(length(data)) FROM graph").Scan(&parts, &size); err != nil {
		return err
	}
	if parts == 0 {
		return errors.New("it is missing")
	}
	rows, err := c.db.QueryContext(ctx, "SELECT data FROM graph ORDER BY part")
	if err != nil {
		return err
	}
	defer rows.Close()
	c.graph, err = catalog.ReadGraph(&graphRows{rows: rows}, size.Int64-int64(parts)*checksumBytes, nil)
	return errors.Join(err, rows.Err())
}

// graphRows reads what graphParts wrote.
type graphRows struct {
	rows *sql.Rows
	row  sql.RawBytes
}

func (g *graphRows) Read(p []byte) (int, error) {
	for len(g.row) == 0 {
		if !g.rows.Next() {
			return 0, errors.Join(g.rows.Err(), io.EOF)
		}
		var row sql.RawBytes
		if err := g.rows.Scan(&row); err != nil {
			return 0, err
		}
		if len(row) < checksumBytes || binary.LittleEndian.Uint32(row) != castagnoli(row[checksumBytes:]) {
			return 0, errors.New("a part with a wrong checksum")
		}
		g.row = row[checksumBytes:]
	}
	n := copy(p, g.row)
	g.row = g.row[n:]
	return n, nil
}

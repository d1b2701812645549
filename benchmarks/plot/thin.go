package plot

// mostPoints is what a line has room for; more make the file large and look the
// same.
const mostPoints = 600

// thin leaves out points but keeps the least and the most of every stretch, so
// that no peak is lost.
func thin(points []Point) []Point {
	if len(points) <= mostPoints {
		return points
	}
	var kept []Point
	for i := range mostPoints / 2 {
		stretch := points[i*len(points)/(mostPoints/2) : (i+1)*len(points)/(mostPoints/2)]
		least, most := 0, 0
		for j, p := range stretch {
			if p.Y < stretch[least].Y {
				least = j
			}
			if p.Y > stretch[most].Y {
				most = j
			}
		}
		kept = append(kept, stretch[min(least, most)], stretch[max(least, most)])
	}
	return kept
}

package signal

import "testing"

func TestAPlantedGapIsFoundBesideOthers(t *testing.T) {
	samples := PlantZeros(sine(2*rateHz, 441, -12, 0), rateHz, 64)
	if found, ok := FindsPlanted(samples, rateHz, 441, Gaps(samples, rateHz, 441)); !found || !ok {
		t.Errorf("found %v, room %v", found, ok)
	}
}

func TestAmongManyGapsThereIsNoRoomToPlantOne(t *testing.T) {
	samples := sine(2*rateHz, 441, -12, 0)
	for at := 2000; at < len(samples)-100; at += 3000 {
		samples = PlantZeros(samples, at, 64)
	}
	if found, ok := FindsPlanted(samples, rateHz, 441, Gaps(samples, rateHz, 441)); found || ok {
		t.Errorf("found %v, room %v", found, ok)
	}
}

func TestInARecordingOfSilenceThePlantedGapIsMissed(t *testing.T) {
	if found, ok := FindsPlanted(make([]float32, 2*rateHz), rateHz, 441, nil); found || !ok {
		t.Errorf("found %v, room %v", found, ok)
	}
}
